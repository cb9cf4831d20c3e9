import { expect, it } from 'vitest'
import { findPolicy } from '../../../src/policies/index.js'
import { chooserOf } from '../../support/choosers.js'

it('chooses the candidate with the lowest rank, whatever the order of joins', () => {
  const chooser = chooserOf<number>(findPolicy('pick_first'))
  for (const rank of [3, 1, 2]) chooser.join(rank, 1)
  expect(chooser.choose()).toBe(1)
})

it('keeps its candidate when a lower rank joins, and chooses the lowest rank when it leaves', () => {
  const chooser = chooserOf<number>(findPolicy('pick_first'))
  for (const rank of [3, 1, 2]) chooser.join(rank, 1)
  chooser.choose()
  chooser.join(0, 1)
  expect(chooser.choose()).toBe(1)
  chooser.leave(1)
  expect(chooser.choose()).toBe(0)
  chooser.leave(2)
  expect(chooser.choose()).toBe(0)
})
