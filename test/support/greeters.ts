import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { type Placed, putAll } from './etcd-state.js'

const COUNT = 100

/** Weights repeat in this order, so that neighbours differ and the sum is a round number: 300. */
const WEIGHTS = [1, 2, 3, 4, 5] as const

/** A hundred greeters in the process of the test, as many endpoints as a service of users has. */
export interface HundredGreeters {
  readonly all: readonly Greeter[]
  /** The weight of each, in the same order. */
  readonly weights: readonly number[]
  /** Calls answered by all of them so far. */
  calls(): number
  /** Puts all of them into etcd as endpoints of one service, each with its weight, in one transaction. */
  register(etcd: Etcd, service?: string): Promise<void>
}

/** For all tests of a file: they are stopped after the last. */
export async function hundredGreeters(): Promise<HundredGreeters> {
  const all = await Promise.all(Array.from({ length: COUNT }, () => startGreeter({ port: 0 })))
  afterAll(() => {
    for (const greeter of all) greeter.stop()
  })
  const weights = all.map((_, at) => WEIGHTS[at % WEIGHTS.length] ?? 1)
  const placed = all.map(({ addr }, at): Placed => ({ addr, weight: weights[at] ?? 1 }))
  return {
    all,
    weights,
    calls: () => all.reduce((sum, greeter) => sum + greeter.calls(), 0),
    register: (etcd, service = 'hello') => putAll(etcd, service, placed),
  }
}

/** Waits until a greeter, or all of several together, had so many calls more than now. */
export async function untilCalled(greeter: Pick<Greeter, 'calls'>, more = 20): Promise<void> {
  const from = greeter.calls()
  await until(
    () => greeter.calls() >= from + more,
    () => `${more} calls, got ${greeter.calls() - from}`,
  )
}
