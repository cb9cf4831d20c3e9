import { expect, it } from 'vitest'
import type { Chooser } from '../../../src/policies/policy.js'
import { roundRobin } from '../../../src/policies/round-robin.js'
import { chooserOf } from '../../support/choosers.js'

function rotation(names: string): Chooser<string> {
  const chooser = chooserOf<string>(roundRobin)
  for (const name of names) chooser.join(name, 1)
  return chooser
}

function picks(chooser: Chooser<string>, count: number): string {
  return Array.from({ length: count }, () => chooser.choose() ?? '-').join('')
}

it('chooses each candidate in turn', () => {
  expect(picks(rotation('abc'), 7)).toBe('abcabca')
})

it('chooses null in an empty rotation', () => {
  const chooser = rotation('')
  expect(chooser.choose()).toBeNull()
  chooser.join('a', 1)
  chooser.leave('a')
  expect(chooser.choose()).toBeNull()
  expect(chooser.size).toBe(0)
})

it('gives all candidates the same number of picks, with any weights', () => {
  const chooser = chooserOf<string>(roundRobin)
  chooser.join('a', 1)
  chooser.join('b', 1000)
  chooser.reweigh('a', 500)
  expect(picks(chooser, 6)).toBe('ababab')
})

it.each([
  [0, 'abcnabcn'],
  [1, 'bcanbcan'],
  [2, 'cabncabn'],
  [3, 'abcnabcn'],
])('serves a newcomer after %d picks, after all that were present', (before, after) => {
  const chooser = rotation('abc')
  picks(chooser, before)
  chooser.join('n', 1)
  expect(picks(chooser, 8)).toBe(after)
  expect(chooser.size).toBe(4)
})

it.each([
  ['a', 1, 'bcdbcd'],
  ['b', 1, 'cdacda'],
  ['c', 1, 'bdabda'],
  ['a', 2, 'cdbcdb'],
  ['d', 3, 'abcabc'],
  ['d', 0, 'abcabc'],
])('does not move the turn when %s leaves after %d picks', (leaver, before, after) => {
  const chooser = rotation('abcd')
  picks(chooser, before)
  chooser.leave(leaver)
  expect(picks(chooser, 6)).toBe(after)
})

it('ignores the leave of an unknown candidate', () => {
  const chooser = rotation('ab')
  chooser.leave('x')
  expect(picks(chooser, 4)).toBe('abab')
})
