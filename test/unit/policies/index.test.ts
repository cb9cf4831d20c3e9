import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findPolicy, listPolicies, POLICIES } from '../../../src/policies/index.js'
import { errorOf } from '../../support/errors.js'

it.each([
  ['weighted_round_robin', 'wrr', 'exact'],
  ['round_robin', 'rr', 'exact'],
  ['random', 'random', 'random'],
  ['weighted_random', 'wrandom', 'random'],
  ['least_request', 'lr', 'none'],
  ['ring_hash', 'ring', 'none'],
  ['source_hash', 'source', 'none'],
  ['pick_first', 'pick_first', 'none'],
  ['pinned', 'pinned', 'none'],
])('%s is known by its name and as %s, and promises shares: %s', (name, shortName, shares) => {
  expect(findPolicy(name)).toMatchObject({ name, shortName, shares })
  expect(findPolicy(shortName)).toBe(findPolicy(name))
  expect(findPolicy(name).configure({})).toMatchObject({ name, config: {} })
})

it.each(POLICIES)('docs/library.md has $name in its table', ({ name }) => {
  const rows = readFileSync(new URL('../../../docs/library.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows.join('\n')).toContain(`\`${name}\``)
})

it('the default is weighted_round_robin', () => {
  expect(POLICIES[0].name).toBe('weighted_round_robin')
})

it('an unknown name is an error that lists the available policies', () => {
  const error = errorOf(() => findPolicy('round-robin'))
  expect(error).toMatchObject({ code: 'USAGE', message: 'Unknown LB policy "round-robin"' })
  expect(error.suggestions[0]).toBe('Did you mean round_robin?')
  expect(error.suggestions[1]).toBe(`Available: ${listPolicies()}`)
  expect(errorOf(() => findPolicy('WRR')).suggestions).toContain(`Available: ${listPolicies()}`)
  for (const { name } of POLICIES) expect(listPolicies()).toContain(name)
})

describe('parameters', () => {
  it.each([
    ['least_request', { choiceCount: 2 }],
    ['ring_hash', { key: 'a' }],
    ['source_hash', { key: 'a' }],
    ['pinned', { to: 'a' }],
    ['pinned', { to: 'a', fallback: { ring_hash: { key: 'b' } } }],
  ])('%s takes %j and writes it again', (name, config) => {
    expect(findPolicy(name).configure(config).config).toEqual(config)
  })

  it.each([
    ['round_robin', { key: 'a' }, 'unknown parameter "key"', 'It has no parameters'],
    ['round_robin', [], 'its config is not a JSON object', 'It has no parameters'],
    ['round_robin', null, 'its config is not a JSON object', 'It has no parameters'],
    ['ring_hash', { toString: 'a' }, 'unknown parameter "toString"', 'Parameters: key'],
    ['ring_hash', { key: '' }, 'key is "", expected a non-empty text', 'Parameters: key'],
    ['ring_hash', { key: 7 }, 'key is 7, expected a non-empty text', 'Parameters: key'],
    [
      'least_request',
      { choiceCount: 1 },
      'choiceCount is 1, expected an integer from 2 to 10',
      'choiceCount',
    ],
    [
      'least_request',
      { choiceCount: 2.5 },
      'choiceCount is 2.5, expected an integer',
      'Parameters: choiceCount',
    ],
    [
      'least_request',
      { choiceCount: '2' },
      'choiceCount is "2", expected an integer',
      'Parameters: choiceCount',
    ],
    [
      'pinned',
      { fallback: { pinned: {} } },
      'expected one policy with its parameters',
      'Parameters: to, fallback',
    ],
    ['pinned', { fallback: null }, 'expected one policy', 'Parameters: to, fallback'],
    ['pinned', { fallback: { rr: {}, wrr: {} } }, 'expected one policy', 'Parameters: to, fallback'],
    ['pinned', { fallback: { ring_hash: { kee: 1 } } }, 'policy ring_hash: unknown parameter "kee"', 'key'],
  ])('%s refuses %j', (name, config, message, hint) => {
    const error = errorOf(() => findPolicy(name).configure(config))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(message)
    expect(error.suggestions.join()).toContain(hint)
  })
})
