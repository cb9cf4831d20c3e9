import { setTimeout as delay } from 'node:timers/promises'
import type { Registry } from '../../src/registry/registry.js'
import { Rng } from '../fuzz/rng.js'
import { until } from '../support/disco.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { openRegistry } from '../support/registry.js'
import { Writer } from '../support/writer.js'
import { AUTH_ARGS, SoakCredentials } from './credentials.js'
import { type Fault, randomFault } from './faults.js'
import { type HeapSample, sampleHeap } from './heap.js'
import { Held } from './held.js'
import { Watched } from './watched.js'

const SERVICE = 'soak'
const ENDPOINTS = 200
const REGISTRATIONS = 50
const WRITE_PERIOD_MS = 20
const SAMPLE_PERIOD_MS = 10_000

/** The result of a soak. */
export interface Soaked {
  readonly faults: ReadonlyMap<string, number>
  readonly writes: number
  readonly revoked: number
  readonly compactions: number
  readonly counts: Watched['counts']
  readonly registrations: Held['counts']
  readonly heap: readonly HeapSample[]
  /** Found problems; empty if the soak passed. */
  readonly problems: readonly string[]
}

/**
 * Runs a cluster of three under random faults and steady writes. In the end, a watch of all 200 endpoints and 50
 * registrations must agree with etcd, without memory growth.
 */
export async function soak(seed: number, minutes: number): Promise<Soaked> {
  await using cluster = await EtcdCluster.start(undefined, AUTH_ARGS)
  using credentials = await SoakCredentials.start(cluster, SERVICE)
  const { user, passwordFile } = credentials
  const registry = await openRegistry(cluster.endpoints, { user, passwordFile })
  try {
    return await new Soak(new Rng(seed), cluster, registry, credentials).run(minutes * 60_000)
  } finally {
    registry.close()
  }
}

class Soak {
  private readonly writers: readonly Writer[]
  private readonly faults = new Map<string, number>()
  private fault: Fault | null = null
  private isOver = false
  private writes = 0
  private revoked = 0
  private compactions = 0

  constructor(
    private readonly rng: Rng,
    private readonly cluster: EtcdCluster,
    private readonly registry: Registry,
    private readonly credentials: SoakCredentials,
  ) {
    this.writers = cluster.members.map(({ endpoint }) => new Writer(endpoint, SERVICE))
  }

  async run(durationMs: number): Promise<Soaked> {
    for (const { api } of this.writers) await this.credentials.admit(api)
    await this.writer.fill(ENDPOINTS)
    const watched = new Watched(this.registry, SERVICE)
    const held = await Held.start(this.registry, SERVICE, REGISTRATIONS)
    const heap: HeapSample[] = []
    const writing = this.write()
    const startMs = performance.now()
    let sampledMs = 0
    while (performance.now() - startMs < durationMs) {
      await this.oneFault()
      // May fail during an election after the fault. The next disturbance is made in any case.
      await this.disturb().catch(() => undefined)
      await delay(this.rng.int(200, 1_500))
      const atMs = performance.now() - startMs
      if (atMs - sampledMs < SAMPLE_PERIOD_MS) continue
      sampledMs = atMs
      heap.push(sampleHeap(atMs))
    }
    this.isOver = true
    await writing
    const problems = await this.problemsOf(watched, held)
    await held.close()
    await watched.close()
    for (const writer of this.writers) writer[Symbol.dispose]()
    const { faults, writes, revoked, compactions } = this
    return {
      faults,
      writes,
      revoked,
      compactions,
      counts: watched.counts,
      registrations: held.counts,
      heap,
      problems,
    }
  }

  /** A writer to a member that can be used during the current fault, without the proxies. */
  private get writer(): Writer {
    const writer = this.writers.find((_, index) => index !== this.fault?.member)
    if (!writer) throw new Error('there is no member left')
    return writer
  }

  private async oneFault(): Promise<void> {
    const fault = randomFault(this.rng, this.cluster, this.credentials, () => this.writer.api)
    this.faults.set(fault.name, (this.faults.get(fault.name) ?? 0) + 1)
    this.fault = fault
    await fault.begin()
    await delay(fault.lastsMs)
    await fault.end()
    this.fault = null
  }

  /** Makes changes that operators or time cause: compactions and revoked leases. */
  private async disturb(): Promise<void> {
    if (this.rng.chance(0.3)) {
      await this.writer.compact(await this.writer.put(0, this.rng.int(1, 100)))
      this.compactions++
    }
    if (this.rng.chance(0.3)) {
      const { leases } = await this.writer.api.get('Lease/LeaseLeases', {})
      const [first, ...rest] = (leases as { ID: string }[]).map(({ ID }) => ID)
      if (first === undefined) return
      await this.writer.api.call('Lease/LeaseRevoke', { ID: this.rng.pick([first, ...rest]) })
      this.revoked++
    }
  }

  private async write(): Promise<void> {
    while (!this.isOver) {
      const port = this.rng.int(0, ENDPOINTS - 1)
      const weight = this.rng.int(1, 100)
      const act = this.rng.weighted<() => Promise<unknown>>([
        [20, () => this.writer.put(port, weight)],
        [2, () => this.writer.delete(port)],
        [2, () => this.writer.putTogether([port, port + ENDPOINTS], weight)],
        [1, () => this.writer.delete(port + ENDPOINTS)],
      ])
      // May fail during an election, or if the member becomes unavailable. The next write is made in any case.
      await act().then(
        () => this.writes++,
        () => undefined,
      )
      await delay(WRITE_PERIOD_MS)
    }
  }

  private async problemsOf(watched: Watched, held: Held): Promise<string[]> {
    const problems = [...watched.problems]
    const last = await this.writer.put(0, 1)
    await until(
      () => watched.revision >= last && held.areAllHeld,
      () => `revision ${last}, and all registrations: ${held.missing.join(', ')}`,
    ).catch((error: Error) => problems.push(error.message))
    // No further writes are made, so the view can be compared with etcd.
    const truth = await this.writer.view()
    await until(
      () => watched.differencesFrom(truth).length === 0,
      () => `the view that etcd has; different are ${watched.differencesFrom(truth).join(', ')}`,
    ).catch((error: Error) => problems.push(error.message))
    for (const key of held.keys) if (!truth.has(key)) problems.push(`${key} is not in etcd`)
    return [...problems, ...held.problems]
  }
}
