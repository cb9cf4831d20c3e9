import type { Discovery, Query, Update } from '../domain/discovery.js'
import type { Endpoint, LeaseId, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { DEFAULT_LAYOUT, type Layout } from '../domain/layouts/index.js'
import { nearestNames } from '../domain/nearest.js'
import type { WeightChange } from '../domain/weight.js'
import { EtcdClient } from '../etcd/client.js'
import { leaseTtl } from '../etcd/lease-keeper.js'
import type { EtcdOptions } from '../etcd/options.js'
import { list, prefixRange } from '../etcd/range.js'
import { defaultCacheFolder, ListCache } from './cache.js'
import { cachedWatch } from './cached-watch.js'
import { decodeEndpoints } from './decode.js'
import { watchEndpoints } from './discovery.js'
import { Registration, type RegistrationReports, type RegistrationRequest } from './registration.js'
import { type EndpointSelection, selectEndpoints } from './selection.js'
import { type Unregistered, unregister } from './unregister.js'
import { setWeight, type WeightChanged } from './weight.js'

export type { EtcdOptions }

type Optional<Options, Names extends keyof Options> = Omit<Options, Names> & {
  readonly [Name in Names]?: Options[Name] | undefined
}

/** How to reach etcd; only `endpoints` must be said. */
export interface RegistryOptions
  extends Optional<EtcdOptions, 'endpointsSource' | 'commandTimeoutMs' | 'dialTimeoutMs'> {
  /** Where the last good lists are kept, for a start without etcd; `false` for nowhere. */
  readonly cache?: CacheOptions | false
}

export interface CacheOptions {
  /** Default: `disco` in the user's cache folder (XDG_CACHE_HOME). */
  readonly folder?: string
  /** An older list is not used. Default: a day. */
  readonly maxAgeMs?: number
  /** Told once when the cache cannot be used. Default: a Node warning. */
  readonly onWarning?: (message: string) => void
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000

/** With the next member's own answer, a mute one then costs less than a second. */
const DEFAULT_DIAL_TIMEOUT_MS = 800

const DEFAULT_CACHE_MAX_AGE_MS = 24 * 60 * 60 * 1000

/** Endpoints as of one revision. */
export interface EndpointList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
}

export interface Ttl {
  readonly ttlSeconds: number
  readonly grantedTtlSeconds: number
}

/** So many leases are asked for at a time: enough to hide the round trips, too few to crowd etcd. */
const LEASES_AT_ONCE = 64

/** For suggestions, a part of a huge registry is enough. */
const NAMES_LIMIT = 20_000

/** A service registry in etcd. Every method may throw DiscoError ETCD_UNREACHABLE or ETCD_DENIED. */
export class Registry implements Discovery {
  private constructor(
    private readonly client: EtcdClient,
    private readonly layout: Layout,
    private readonly options: RegistryOptions,
  ) {}

  /** Connects only with the first request. @throws DiscoError USAGE */
  static async open(options: RegistryOptions): Promise<Registry> {
    const client = await EtcdClient.create({
      ...options,
      endpointsSource: options.endpointsSource ?? 'the options of Registry.open',
      commandTimeoutMs: options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS,
      dialTimeoutMs: options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
    })
    return new Registry(client, DEFAULT_LAYOUT, options)
  }

  /** The endpoints of one service, or of all, by key. A service without any gives an empty list. */
  async list(service?: string): Promise<EndpointList> {
    const { revision, kvs } = await list(this.client, prefixRange(this.layout.prefix(service)))
    return { revision, endpoints: kvs.flatMap((kv) => decodeEndpoints(this.layout, kv)) }
  }

  /** @throws DiscoError NOT_FOUND with the nearest names, when the service has no endpoint */
  async listExisting(service: string): Promise<EndpointList> {
    const listing = await this.list(service)
    if (listing.endpoints.length > 0) return listing
    const names = await this.serviceNames()
    const nearest = nearestNames(service, names)
    throw new DiscoError(
      'NOT_FOUND',
      `No service "${service}" under ${this.layout.prefix()} (rev ${listing.revision})`,
      {
        suggestions: [
          nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}? ${some(names)}` : some(names),
        ],
      },
    )
  }

  /** Time left and granted for each lease; a lease that has ended is left out. */
  async ttls(leases: Iterable<LeaseId>): Promise<ReadonlyMap<LeaseId, Ttl>> {
    const ttls = new Map<LeaseId, Ttl>()
    const queue = [...new Set(leases)].values()
    const worker = async () => {
      for (const lease of queue) {
        const ttl = await leaseTtl(this.client, lease)
        if (ttl) ttls.set(lease, ttl)
      }
    }
    await Promise.all(Array.from({ length: LEASES_AT_ONCE }, worker))
    return ttls
  }

  /** As the resolver sees a service: with the last good list from disk where etcd is out of reach at the start. */
  watch({ service }: Query, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    const updates = this.follow(service, signal)
    const { endpoints: members, cache } = this.options
    if (cache === false) return updates
    const { folder, maxAgeMs = DEFAULT_CACHE_MAX_AGE_MS, onWarning = emitWarning } = cache ?? {}
    const lists = new ListCache(folder ?? defaultCacheFolder(process.env), onWarning)
    return cachedWatch(updates, lists, { members, layout: this.layout.name, service }, maxAgeMs)
  }

  /** As etcd tells it: one service, or all of them. */
  follow(service: string | undefined, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    return watchEndpoints(this.client, this.layout, prefixRange(this.layout.prefix(service)), signal)
  }

  /**
   * Takes a lease and the key, and holds both until closed.
   *
   * @param signal ends the wait for a key whose registrar died; it does not end the registration
   * @throws DiscoError USAGE, CONFLICT
   */
  register(
    request: RegistrationRequest,
    reports: RegistrationReports = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Registration> {
    return Registration.acquire(this.client, this.layout, request, reports, signal)
  }

  /** @throws DiscoError NOT_FOUND, CONFLICT (several endpoints match, or the change would upset the others) */
  async setWeight(
    selection: EndpointSelection,
    change: WeightChange,
    options: { force: boolean } = { force: false },
  ): Promise<WeightChanged> {
    const { endpoints: service } = await this.listExisting(selection.service)
    return setWeight(
      this.client,
      this.layout,
      { service, selected: selectEndpoints(service, selection) },
      change,
      options,
    )
  }

  /** Removes an endpoint; one that is not there is no error. @throws DiscoError CONFLICT */
  async unregister(
    selection: EndpointSelection,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Unregistered> {
    const { revision, endpoints } = await this.list(selection.service)
    return unregister(this.client, endpoints, selection, revision, signal)
  }

  /** Whether a lease still lives: an endpoint that went while it does was deregistered, not expired. */
  async leaseLives(lease: LeaseId): Promise<boolean> {
    return (await leaseTtl(this.client, lease)) !== null
  }

  close(): void {
    this.client.close()
  }

  private async serviceNames(): Promise<string[]> {
    const range = prefixRange(this.layout.prefix())
    const { kvs } = await list(this.client, range, { keysOnly: true, limit: NAMES_LIMIT })
    const names = kvs.map((kv) => kv.key.split('/')[1] ?? '').filter((name) => name !== '')
    return [...new Set(names)]
  }
}

function emitWarning(message: string): void {
  process.emitWarning(message, 'DiscoCacheWarning')
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'The registry is empty'
  const shown = names.slice(0, 5).join(', ')
  return `${names.length === 1 ? '1 service' : `${names.length} services`}: ${shown}${names.length > 5 ? ', …' : ''}`
}
