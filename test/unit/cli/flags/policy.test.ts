import { describe, expect, it } from 'vitest'
import { type PolicyFlags, policyFlags, policyOf } from '../../../../src/cli/flags/policy.js'
import { POLICIES } from '../../../../src/policies/index.js'
import { errorOf } from '../../../support/errors.js'

const of = (flags: Partial<PolicyFlags>) => policyOf({ policy: 'wrr', ...flags })

describe('the flags of a policy', () => {
  it.each(POLICIES.map(({ name, shortName }) => [name, shortName]))('name %s, or %s', (name, shortName) => {
    const pin = name === 'pinned' ? { pin: 'a' } : {}
    expect(of({ policy: name, ...pin }).name).toBe(name)
    expect(of({ policy: shortName, ...pin }).name).toBe(name)
    expect(policyFlags.policy.description).toContain(name)
  })

  it('become its parameters', () => {
    expect(of({ policy: 'ring', 'hash-key': 'k' }).config).toEqual({ key: 'k' })
    expect(of({ policy: 'source', 'hash-key': 'k' }).config).toEqual({ key: 'k' })
    expect(of({ policy: 'lr', choices: 3 }).config).toEqual({ choiceCount: 3 })
    expect(of({ policy: 'pinned', pin: 'a' }).config).toEqual({ to: 'a' })
    expect(of({ policy: 'pinned', pin: 'a', 'pin-fallback': 'wrr' }).config).toEqual({
      ...{ to: 'a', fallback: { weighted_round_robin: {} } },
    })
  })

  it.each([
    [{ pin: 'a' }, '--pin says nothing to the policy weighted_round_robin', '--policy pinned'],
    [{ 'pin-fallback': 'rr' }, '--pin-fallback says nothing', '--policy pinned'],
    [
      { policy: 'random', choices: 2 },
      '--choices says nothing to the policy random',
      '--policy least_request',
    ],
    [{ policy: 'lr', 'hash-key': 'a' }, '--hash-key says nothing', '--policy ring_hash or source_hash'],
    [{ policy: 'pinned' }, 'The policy pinned needs to be told where to', '--pin'],
    [
      { policy: 'pinned', pin: 'a', 'pin-fallback': 'pinned' },
      'want one policy with its parameters',
      'fallback',
    ],
    [{ policy: 'robin' }, 'Unknown LB policy "robin"', 'Available: weighted_round_robin (wrr)'],
    [{ policy: 'ring', 'hash-key': '' }, 'key is "", want a text that is not empty', 'key'],
  ])('%j are refused', (flags, message, hint) => {
    const error = errorOf(() => of(flags))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(message)
    expect(error.suggestions.join('\n')).toContain(hint)
  })
})
