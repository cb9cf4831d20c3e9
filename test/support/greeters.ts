import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { type DeadEndpoints, deadEndpoints } from './dead-endpoints.js'
import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { type Placed, putAll } from './etcd-state.js'

const COUNT = 100

/** The weights repeat in this order, so that neighbors differ and their sum is 300. */
const WEIGHTS = [1, 2, 3, 4, 5] as const

/** The weight of the heaviest greeter, so that the endpoint is called repeatedly in a run of a few hundred calls. */
const GO_AWAY_WEIGHT = 5

/**
 * The default service of call tests: a hundred greeters in the process of the test, and one endpoint of each kind that
 * users meet and that does not simply serve: it refuses connections, resets them, stays mute, or closes them with
 * GOAWAY.
 */
export interface HundredGreeters {
  /** The greeters that serve all calls. */
  readonly all: readonly Greeter[]
  readonly dead: DeadEndpoints
  /** The weight of each greeter of `all`, in the same order. */
  readonly weights: readonly number[]
  /** The endpoints that never become READY, each with weight 1: refused, reset and mute. */
  readonly unserved: readonly Placed[]
  /** Number of endpoints that `register` writes. */
  readonly registered: number
  /** Number of calls answered so far by the greeters and by the endpoint that sends GOAWAY. */
  calls(): number
  /**
   * Writes all endpoints into etcd as one service in one transaction. A counted run waits for the mute endpoint until
   * its connect deadline.
   */
  register(etcd: Etcd, service?: string): Promise<void>
  /**
   * Like `register`, without the endpoint that sends GOAWAY, for tests of exact numbers of picks or attempts: each of
   * its reconnects takes it out of the rotation for a moment, and a call that meets a GOAWAY is sent again.
   */
  registerSteady(etcd: Etcd, service?: string): Promise<void>
}

/** Starts the greeters for all tests of a file, and stops them after the last test. */
export async function hundredGreeters(): Promise<HundredGreeters> {
  const all = await Promise.all(Array.from({ length: COUNT }, () => startGreeter({ port: 0 })))
  afterAll(() => {
    for (const greeter of all) greeter.stop()
  })
  const weights = all.map((_, at) => WEIGHTS[at % WEIGHTS.length] ?? 1)
  const dead = await deadEndpoints()
  const serving = all.map(({ addr }, at): Placed => ({ addr, weight: weights[at] ?? 1 }))
  const unserved = [dead.refused, dead.reset, dead.mute].map((addr): Placed => ({ addr, weight: 1 }))
  const steady = [...serving, ...unserved]
  const every = [...steady, { addr: dead.goAway.addr, weight: GO_AWAY_WEIGHT }]
  return {
    all,
    weights,
    dead,
    unserved,
    registered: every.length,
    calls: () => [...all, dead.goAway].reduce((sum, greeter) => sum + greeter.calls(), 0),
    register: (etcd, service = 'hello') => putAll(etcd, service, every),
    registerSteady: (etcd, service = 'hello') => putAll(etcd, service, steady),
  }
}

/** Waits until one greeter, or several in total, have received this many further calls. */
export async function untilCalled(greeter: Pick<Greeter, 'calls'>, more = 20): Promise<void> {
  const from = greeter.calls()
  await until(
    () => greeter.calls() >= from + more,
    () => `${more} calls, got ${greeter.calls() - from}`,
  )
}
