import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { OutstandingCalls } from '../../../../src/grpc/balancer/outstanding.js'

let outstanding: OutstandingCalls

beforeEach(() => {
  outstanding = new OutstandingCalls()
})

it('counts a call from its pick to its end', async () => {
  outstanding.pick()
  expect(outstanding.count).toBe(1)
  outstanding.onCallStarted()
  expect(outstanding.count).toBe(1)
  await nextTurn()
  expect(outstanding.count).toBe(1)
  outstanding.onCallEnded()
  expect(outstanding.count).toBe(0)
})

it('counts every pick of one turn, started or not', () => {
  for (let pick = 0; pick < 100; pick++) outstanding.pick()
  expect(outstanding.count).toBe(100)
  outstanding.onCallStarted()
  expect(outstanding.count).toBe(100)
})

it('drops picks whose calls did not start, and keeps running calls', async () => {
  outstanding.pick()
  outstanding.pick()
  outstanding.onCallStarted()
  await nextTurn()
  expect(outstanding.count).toBe(1)
  outstanding.onCallEnded()
  expect(outstanding.count).toBe(0)
})

it('counts a call that starts several turns after its pick, for example because it waits for credentials', async () => {
  outstanding.pick()
  await nextTurn()
  expect(outstanding.count).toBe(0)
  outstanding.onCallStarted()
  expect(outstanding.count).toBe(1)
  outstanding.pick()
  outstanding.onCallEnded()
  expect(outstanding.count).toBe(1)
  await nextTurn()
  expect(outstanding.count).toBe(0)
})

it('reports each change of the count once', async () => {
  const counts: number[] = []
  outstanding.onChange = () => counts.push(outstanding.count)
  outstanding.pick()
  outstanding.onCallStarted()
  outstanding.pick()
  await nextTurn()
  outstanding.onCallEnded()
  expect(counts).toEqual([1, 2, 1, 0])
})
