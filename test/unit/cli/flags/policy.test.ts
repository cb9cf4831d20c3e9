import { describe, expect, it } from 'vitest'
import {
  policiesFlags,
  policiesOf,
  policyFlags,
  policyForKeyedCalls,
  policyOf,
} from '../../../../src/cli/flags/policy.js'
import { POLICIES } from '../../../../src/policies/index.js'
import { errorOf } from '../../../support/errors.js'
import { flagError, flagValues } from '../../../support/flags.js'

const policyBy = async (...argv: string[]) => policyOf(await flagValues(policyFlags, ...argv))
const policiesBy = async (...argv: string[]) => policiesOf(await flagValues(policiesFlags, ...argv))

describe('the policy flags', () => {
  it.each(POLICIES.map(({ name, shortName }) => [name, shortName]))(
    'accept %s, or %s',
    async (name, shortName) => {
      const pin = name === 'pinned' ? ['--pin', 'a'] : []
      expect((await policyBy('--policy', name, ...pin)).name).toBe(name)
      expect((await policyBy('--policy', shortName, ...pin)).name).toBe(name)
      expect(policyFlags.policy.description).toContain(name)
    },
  )

  it('select the first policy by default', async () => {
    expect((await policyBy()).name).toBe(POLICIES[0].name)
    expect((await policiesBy()).map(({ name }) => name)).toEqual([POLICIES[0].name])
  })

  it('become its parameters', async () => {
    expect((await policyBy('--policy', 'ring', '--hash-key', 'k')).config).toEqual({ key: 'k' })
    expect((await policyBy('--policy', 'source', '--hash-key', 'k')).config).toEqual({ key: 'k' })
    expect((await policyBy('--policy', 'lr', '--choices', '3')).config).toEqual({ choiceCount: 3 })
    expect((await policyBy('--policy', 'pinned', '--pin', 'a')).config).toEqual({ to: 'a' })
    const { config } = await policyBy('--policy', 'pinned', '--pin', 'a', '--pin-fallback', 'wrr')
    expect(config).toEqual({ to: 'a', fallback: { weighted_round_robin: {} } })
  })

  it.each([
    ['--pin a', '--pin has no effect with policy weighted_round_robin', '--policy pinned'],
    ['--pin-fallback rr', '--pin-fallback has no effect with policy weighted_round_robin', '--policy pinned'],
    ['--policy random --choices 2', '--choices has no effect with policy random', '--policy least_request'],
    [
      '--policy lr --hash-key a',
      '--hash-key has no effect with policy least_request',
      '--policy ring_hash or source_hash',
    ],
    ['--policy pinned', '--policy pinned needs --pin', '--pin 127.0.0.1:1001'],
    ['--policy pinned --pin a --pin-fallback pinned', 'expected one policy with its parameters', 'fallback'],
  ])('%s are refused', async (line, message, hint) => {
    const values = await flagValues(policyFlags, ...line.split(' '))
    const error = errorOf(() => policyOf(values))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(message)
    expect(error.suggestions.join('\n')).toContain(hint)
  })

  it('need no --pin if each call has its own pin', async () => {
    const values = await flagValues(policyFlags, '--policy', 'pinned', '--pin-fallback', 'wrr')
    expect(policyForKeyedCalls(values).config).toEqual({ fallback: { weighted_round_robin: {} } })
    const unused = await flagValues(policyFlags, '--pin', 'a')
    expect(errorOf(() => policyForKeyedCalls(unused)).message).toContain('--pin has no effect')
  })

  it.each(['--policy', '--pin-fallback'])('%s refuses a name that no policy has', async (flag) => {
    const error = await flagError(policyFlags, flag, 'robin')
    expect(error).toMatchObject({ code: 'USAGE', message: `Unknown LB policy "robin" from ${flag}` })
    expect(error.suggestions.join('\n')).toContain('Available: weighted_round_robin (wrr)')
  })
})

it.each(['--policy=', '--pin=', '--hash-key=', '--pin-fallback='])('%s is refused as empty', async (word) => {
  expect(await flagError(policyFlags, word)).toMatchObject({ message: `${word.slice(0, -1)} is empty` })
})

describe('compared policies', () => {
  it('each take their own parameters', async () => {
    const policies = await policiesBy('--policy', 'lr, ring', '--choices', '2', '--hash-key', 'k')
    expect(policies.map(({ name, config }) => [name, config])).toEqual([
      ['least_request', { choiceCount: 2 }],
      ['ring_hash', { key: 'k' }],
    ])
  })

  it('do not accept a hash key that differs per call', async () => {
    const [ring] = await policiesBy('--policy', 'ring', '--hash-key', 'k{{n}}')
    expect(ring.config).toEqual({})
  })

  it('reject pinned without a pin', async () => {
    const values = await flagValues(policiesFlags, '--policy', 'rr,pinned')
    expect(errorOf(() => policiesOf(values)).message).toBe('--policy pinned needs --pin')
  })

  it('reject a parameter that none of them has', async () => {
    const values = await flagValues(policiesFlags, '--policy', 'rr,random', '--choices', '2')
    expect(errorOf(() => policiesOf(values)).message).toBe(
      '--choices has no effect with policy round_robin or random',
    )
  })
})
