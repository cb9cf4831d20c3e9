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

it('takes each in turn', () => {
  expect(picks(rotation('abc'), 7)).toBe('abcabca')
})

it('has nobody to choose when nobody is in rotation', () => {
  const chooser = rotation('')
  expect(chooser.choose()).toBeNull()
  chooser.join('a', 1)
  chooser.leave('a')
  expect(chooser.choose()).toBeNull()
  expect(chooser.size).toBe(0)
})

it('gives everyone the same, whatever the weights', () => {
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
])('serves who joins after %d picks behind everyone who was there', (before, after) => {
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

it('bears the leave of somebody who is not there', () => {
  const chooser = rotation('ab')
  chooser.leave('x')
  expect(picks(chooser, 4)).toBe('abab')
})
