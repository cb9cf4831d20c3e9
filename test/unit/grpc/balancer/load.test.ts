import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { Load } from '../../../../src/grpc/balancer/load.js'

let load: Load

beforeEach(() => {
  load = new Load()
})

it('counts a call from its pick to its end', async () => {
  load.pick()
  expect(load.outstanding).toBe(1)
  load.onCallStarted()
  expect(load.outstanding).toBe(1)
  await nextTurn()
  expect(load.outstanding).toBe(1)
  load.onCallEnded()
  expect(load.outstanding).toBe(0)
})

it('counts every pick of one turn, started or not', () => {
  for (let pick = 0; pick < 100; pick++) load.pick()
  expect(load.outstanding).toBe(100)
  load.onCallStarted()
  expect(load.outstanding).toBe(100)
})

it('forgets picks that came to nothing, and keeps calls that run', async () => {
  load.pick()
  load.pick()
  load.onCallStarted()
  await nextTurn()
  expect(load.outstanding).toBe(1)
  load.onCallEnded()
  expect(load.outstanding).toBe(0)
})

it('bears a call that starts turns after its pick, as one does that waits for credentials', async () => {
  load.pick()
  await nextTurn()
  expect(load.outstanding).toBe(0)
  load.onCallStarted()
  expect(load.outstanding).toBe(1)
  load.pick()
  load.onCallEnded()
  expect(load.outstanding).toBe(1)
  await nextTurn()
  expect(load.outstanding).toBe(0)
})

it('reports each change of the count, and nothing else', async () => {
  const counts: number[] = []
  load.onChange = () => counts.push(load.outstanding)
  load.pick()
  load.onCallStarted()
  load.pick()
  await nextTurn()
  load.onCallEnded()
  expect(counts).toEqual([1, 2, 1, 0])
})
