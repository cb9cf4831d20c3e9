import { expect, it } from 'vitest'
import { NewestOnly } from '../../../../src/agent/hooks/newest-only.js'

it('processes one item at a time, then only the newest of the items that arrived meanwhile', async () => {
  const taken: number[] = []
  const ends: (() => void)[] = []
  const newest = new NewestOnly<number>((item) => {
    taken.push(item)
    return new Promise((resolve) => ends.push(resolve))
  })
  await newest.idle()
  newest.offer(1)
  newest.offer(2)
  newest.offer(3)
  expect(taken).toEqual([1])
  const idle = newest.idle()
  ends.shift()?.()
  await new Promise(setImmediate)
  expect(taken).toEqual([1, 3])
  ends.shift()?.()
  await idle
  newest.offer(4)
  expect(taken).toEqual([1, 3, 4])
  ends.shift()?.()
  await newest.idle()
})
