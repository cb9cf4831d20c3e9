import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { type DeadEndpoints, deadEndpoints } from './dead-endpoints.js'
import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { type Placed, putAll } from './etcd-state.js'

const COUNT = 100

/** Weights repeat in this order, so that neighbours differ and the sum is a round number: 300. */
const WEIGHTS = [1, 2, 3, 4, 5] as const

/**
 * A hundred greeters in the process of the test, as many endpoints as a service of users has, and two endpoints that
 * do not serve: one refuses connections, one resets them.
 */
export interface HundredGreeters {
  /** Those that serve. */
  readonly all: readonly Greeter[]
  readonly dead: DeadEndpoints
  /** The weight of each, in the same order. */
  readonly weights: readonly number[]
  /** Calls answered by all of them so far. */
  calls(): number
  /**
   * Puts all of them into etcd as endpoints of one service, each with its weight, in one transaction; and the two that
   * do not serve with a weight of 1. They are refused twice, so a run waits a second for them.
   */
  register(etcd: Etcd, service?: string): Promise<void>
}

/** For all tests of a file: they are stopped after the last. */
export async function hundredGreeters(): Promise<HundredGreeters> {
  const all = await Promise.all(Array.from({ length: COUNT }, () => startGreeter({ port: 0 })))
  afterAll(() => {
    for (const greeter of all) greeter.stop()
  })
  const weights = all.map((_, at) => WEIGHTS[at % WEIGHTS.length] ?? 1)
  const dead = await deadEndpoints()
  const serving = all.map(({ addr }, at): Placed => ({ addr, weight: weights[at] ?? 1 }))
  const placed = [...serving, { addr: dead.refused }, { addr: dead.reset }]
  return {
    all,
    weights,
    dead,
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
