import { keepAlive } from '../../../src/etcd/keep-alive.js'
import { prefixRange } from '../../../src/etcd/key-range.js'
import { watchRange } from '../../../src/etcd/range-watch.js'
import { seeded } from '../../../src/policies/index.js'
import { KINDS, type Kind, SimulatedEtcd } from './simulated-etcd.js'
import { VirtualClock } from './virtual-clock.js'

export interface Fleet {
  readonly servers: number
  readonly clients: number
  readonly services: number
  /** Services that each client watches. */
  readonly watchesEach: number
  readonly ttlSeconds: number
}

/** Requests to etcd and events from it in each second of a phase. */
export interface Phase {
  readonly name: string
  readonly mean: ReadonlyMap<Kind, number>
  readonly peak: ReadonlyMap<Kind, number>
}

/** Seconds in which servers and clients start. */
const START_SECONDS = 20
const STEADY_SECONDS = 15
const DEPLOY_SECONDS = 15
const OUTAGE_SECONDS = 10
const RECOVERY_SECONDS = 15

/** A rolling deploy replaces all servers in half an hour: one key goes, another comes. */
const DEPLOY_MS = 30 * 60_000

/**
 * Runs the client's own watches and keep-alives, of a whole fleet in one process, against a simulated etcd in virtual
 * time: start, steady state, a rolling deploy, an outage of ten seconds. The same seed gives the same figures.
 */
export async function* simulate(fleet: Fleet, seed: number): AsyncGenerator<Phase, void, void> {
  const { servers, clients, services, watchesEach, ttlSeconds } = fleet
  const clock = new VirtualClock()
  clock.install()
  const random = seeded(seed)
  Math.random = random
  const etcd = new SimulatedEtcd(clock, random, services, Math.ceil(servers / services))
  const { client } = etcd
  // One each: a signal takes time in proportion to its listeners.
  const signal = () => new AbortController().signal
  const startMs = START_SECONDS * 1_000
  for (let server = 0; server < servers; server++) {
    const lease = { id: String(server + 1) as never, ttlSeconds }
    clock.add(() => void keepAlive(client, lease, {}, signal()), random() * startMs)
  }
  for (let watch = 0; watch < clients * watchesEach; watch++) {
    const range = prefixRange(etcd.prefix(Math.floor(random() * services)))
    clock.add(() => void drain(watchRange(client, range, signal(), { random })), random() * startMs)
  }
  const phase = async (name: string, seconds: number) => {
    const perSecond: ReadonlyMap<Kind, number>[] = []
    for (let second = 0; second < seconds; second++) {
      for (const kind of KINDS) etcd.counts.set(kind, 0)
      await clock.advance(1_000)
      perSecond.push(new Map(etcd.counts))
    }
    return summarized(name, perSecond)
  }
  yield await phase(`start within ${START_SECONDS} s`, START_SECONDS)
  yield await phase('steady', STEADY_SECONDS)
  const changes = (2 * servers * DEPLOY_SECONDS * 1_000) / DEPLOY_MS
  for (let change = 0; change < changes; change++) {
    const [service, endpoint] = [random() * services, (random() * servers) / services].map(Math.floor)
    clock.add(() => etcd.put(service ?? 0, endpoint ?? 0), random() * DEPLOY_SECONDS * 1_000)
  }
  yield await phase('rolling deploy in 30 min', DEPLOY_SECONDS)
  etcd.stop()
  yield await phase(`etcd away for ${OUTAGE_SECONDS} s`, OUTAGE_SECONDS)
  etcd.restart()
  yield await phase('back', RECOVERY_SECONDS)
}

async function drain(updates: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of updates);
}

function summarized(name: string, perSecond: readonly ReadonlyMap<Kind, number>[]): Phase {
  const of = (kind: Kind) => perSecond.map((counts) => counts.get(kind) ?? 0)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    name,
    mean: new Map(KINDS.map((kind) => [kind, mean(of(kind))])),
    peak: new Map(KINDS.map((kind) => [kind, Math.max(...of(kind))])),
  }
}
