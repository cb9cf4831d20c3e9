import { EventEmitter } from 'node:events'
import { expect } from 'vitest'
import type { DiscoError } from '../../src/domain/errors.js'
import type { RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registry } from '../../src/registry/registry.js'
import { Disco, type Process, until } from './disco.js'
import type { RealEtcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'
import type { EtcdCluster } from './etcd-cluster.js'
import { openRegistry } from './registry.js'
import { Backends, Traffic } from './traffic.js'
import { UpdateLog } from './update-log.js'

/**
 * TTL of all registrations. During a longer fault, a registrar that does not switch to another member loses its lease.
 * It switches after half the TTL, so the other half is the time that a busy machine may need.
 */
export const TTL_SECONDS = 12

const LOOK_PERIOD_MS = 100
/** Addresses of the two `disco register` commands. */
const ADDRS = ['127.0.0.1:1001', '127.0.0.1:1002'] as const

/** The effects of a fault. */
export interface Cost {
  /** Number of checks of all registrations; `absent` is the sum of the keys missing in them. */
  readonly looks: number
  readonly absent: number
  readonly leasesLost: number
  /** Number of outages reported by all registrars, watches and resolvers together. */
  readonly outages: number
  /** The causes of the reported outages. */
  readonly causes: readonly string[]
  readonly calls: number
  readonly failedCalls: number
}

/**
 * The clients of a cluster: five backends of the library with steady calls through the resolver, two `disco register`,
 * one `disco watch`, and one subscriber of the library.
 */
export class ClusterSite implements AsyncDisposable {
  /** Members that may be out of date because of a fault. Registrations are not checked there. */
  readonly unfit = new Set<RealEtcd>()
  private looks = 0
  private absent = 0
  private backendsLost = 0
  private readonly troubles: DiscoError[] = []
  private isOver = false
  private looking: Promise<void> = Promise.resolve()
  private readonly disco: Disco
  private readonly registers: readonly Process[]
  private readonly watch: Process
  private backends: Backends | null = null
  private traffic: Traffic | null = null
  private log: UpdateLog | null = null

  private constructor(
    private readonly cluster: EtcdCluster,
    endpoints: readonly string[],
    private readonly registries: readonly [servers: Registry, clients: Registry],
  ) {
    this.disco = new Disco(endpoints.join(','))
    const ttl = ['--ttl', String(TTL_SECONDS)]
    this.registers = ADDRS.map((addr) => this.disco.start('register', 'tool', addr, ...ttl))
    this.watch = this.disco.start('watch', 'tool', '--layout', 'seed')
  }

  /** @param endpoints etcd endpoints for all clients; by default those of the cluster */
  static async start(
    cluster: EtcdCluster,
    endpoints: readonly string[] = cluster.endpoints,
  ): Promise<ClusterSite> {
    const registries = [await openRegistry(endpoints), await openRegistry(endpoints)] as const
    const site = new ClusterSite(cluster, endpoints, registries)
    await site.settle()
    return site
  }

  get cost(): Cost {
    const { registers, watch, traffic, log, looks, absent } = this
    const printed = [...registers, watch]
      .flatMap((one) => one.events())
      .filter(({ type }) => type === 'stale')
    const ofResolver = traffic?.lists.filter(({ stale }, at, all) => stale && !all[at - 1]?.stale) ?? []
    const ofLog = log?.updates.flatMap((update) => (update.type === 'stale' ? [update.cause] : [])) ?? []
    const causes = [
      ...printed.map(({ cause }) => String(cause)),
      ...ofResolver.map(({ stale }) => String(stale?.message)),
      ...[...ofLog, ...this.troubles].map(({ message }) => message),
    ]
    const again = registers.map(({ stdout }) => stdout.split('"again":true').length - 1)
    const failed = [...(traffic?.outcomes ?? [])].filter(([outcome]) => outcome !== 'OK')
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
    const failedCalls = sum(failed.map(([, count]) => count))
    return {
      looks,
      absent,
      leasesLost: sum(again) + this.backendsLost,
      outages: causes.length,
      causes: [...new Set(causes)],
      calls: (traffic?.ok ?? 0) + failedCalls,
      failedCalls,
    }
  }

  /**
   * Checks that all registrations exist, the watches follow a change, and calls succeed.
   *
   * @returns the effects so far
   */
  async expectWhole(): Promise<Cost> {
    const { log, traffic, watch, registers } = this
    const [member] = this.fit
    if (!log || !traffic || !member) throw new Error('the site has been started, on a member that is fit')
    await until(
      async () => (await countKeys(member)) === this.wanted,
      () => `all registrations; ${registers.map(({ stderr }) => stderr).join('')}`,
    )
    const weight = log.updates.length + 2
    for (const service of ['tool', 'library']) {
      const addr = service === 'tool' ? ADDRS[0] : (this.addrs[0] ?? '')
      expect(await this.disco.run('weight', service, addr, String(weight))).toMatchObject({ code: 0 })
    }
    await watch.printed(`"to":${weight}`)
    await log.has('the change of weight', () => [...log.view.values()].includes(weight))
    await log.has('all backends', () => log.view.size === this.addrs.length)
    await traffic.flows(100)
    for (const { child } of [...registers, watch]) expect(child.exitCode).toBeNull()
    expect(log.failure).toBeNull()
    return this.cost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true
    await this.looking
    await this.disco.stopAll()
    await this.traffic?.[Symbol.asyncDispose]()
    await this.log?.[Symbol.asyncDispose]()
    await this.backends?.[Symbol.asyncDispose]()
    for (const registry of this.registries) registry.close()
  }

  private get fit(): RealEtcd[] {
    return this.cluster.members.filter((member) => !this.unfit.has(member))
  }

  private get addrs(): string[] {
    return this.backends?.greeters.map(({ addr }) => addr) ?? []
  }

  /** Number of keys that must exist. */
  private get wanted(): number {
    return ADDRS.length + this.addrs.length
  }

  private async settle(): Promise<void> {
    const [servers, clients] = this.registries
    const events = new EventEmitter<RegistrationEvents>()
      .on('leaseLost', () => this.backendsLost++)
      .on('trouble', (cause) => this.troubles.push(cause))
    this.backends = await Backends.start(servers, 'library', TTL_SECONDS, events)
    this.traffic = new Traffic(clients, 'library')
    this.log = new UpdateLog(clients, 'library')
    await Promise.all(this.registers.map((one) => one.printed('"type":"added"')))
    await this.watch.printed('"type":"synced"')
    await this.traffic.flows(50)
    this.looking = this.look()
  }

  private async look(): Promise<void> {
    while (!this.isOver) {
      const [member] = this.fit
      const counted = member ? await countKeys(member) : null
      if (counted !== null) {
        this.looks++
        this.absent += Math.max(0, this.wanted - counted)
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_PERIOD_MS))
    }
  }
}

/** Number of keys in the member’s own data, which needs no leader; null if the member does not answer. */
async function countKeys(member: RealEtcd): Promise<number | null> {
  const api = new EtcdApi(member.endpoint)
  const all = { key: Buffer.from('/').toString('base64'), range_end: Buffer.from('0').toString('base64') }
  const outcome = await api.call('KV/Range', { ...all, serializable: true, count_only: true })
  api.close()
  return 'ok' in outcome ? Number(outcome.ok.count) : null
}

/** Checks that no key was missing, no lease was lost, no call failed, and no outage was reported. */
export function expectNoCost(cost: Cost): void {
  expect(cost).toMatchObject({ absent: 0, leasesLost: 0, causes: [], failedCalls: 0 })
  expect(cost.looks).toBeGreaterThan(20)
  expect(cost.calls).toBeGreaterThan(200)
}
