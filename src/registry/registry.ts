import { EventEmitter } from 'node:events'
import type { Abortable } from '../domain/abortable.js'
import type { Discovery, Query, Update } from '../domain/discovery.js'
import type { Endpoint, LeaseId, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { AUTO, type Place, type Reader, readerOf, writableLayout } from '../domain/layouts/reader.js'
import { type WeightForm, weightChangeOf } from '../domain/weight.js'
import type { EtcdClient, Interruption } from '../etcd/client.js'
import { leaseTtl, leaseTtls, type Ttl } from '../etcd/lease.js'
import type { EtcdOptions } from '../etcd/options.js'
import { SharedStreams } from '../etcd/shared-streams.js'
import type { ListCache } from './cache.js'
import { cachedWatch } from './cached-watch.js'
import { withContext } from './context-options.js'
import { disposable } from './disposable-watch.js'
import { watchEndpoints } from './endpoint-watch.js'
import { unlessForbidden } from './etcd-refusals.js'
import { countLayouts, type LayoutCounts } from './layout-counts.js'
import { type EndpointList, endpointPages, listEndpoints } from './listing.js'
import { noSuchService } from './no-such-service.js'
import { type CacheOptions, maxAgeOf, openCache, openClient, type RegistryOptions } from './options.js'
import { otherLayoutsOf } from './other-layouts.js'
import type { RegistrationRequest } from './registration/acquire.js'
import type { EventSink, RegistrationEvents } from './registration/events.js'
import { Registration } from './registration/registration.js'
import type { EndpointSelection } from './selection.js'
import { type OpenWatch, SharedWatches } from './shared-watch.js'
import { type Unregistered, type UnregisterOptions, unregister } from './unregister.js'
import { plannedWeights, setWeight, type WeightChanged, type WeightOptions } from './weight.js'
import { lastWeight } from './weight-history.js'
import { chooseTargets } from './weight-targets.js'

export type { CacheOptions, EndpointList, EtcdOptions, Interruption, Place, RegistryOptions, Ttl }

/** Options of the lists of a `Registry`. */
export interface ListOptions extends Abortable {
  /**
   * The revision of the list, if etcd still has it; by default the newest. TTLs of leases are not part of the history.
   */
  readonly revision?: Revision | undefined
}

/**
 * Options of `Registry.register`. The signal aborts a pending attempt, for example while it waits for the lease of a
 * dead server to expire; it does not end a registration. After an abort, a lease already granted is revoked before the
 * promise rejects.
 */
export interface HoldOptions extends Abortable {
  /** Receives the events of the registration, from the first attempt on. Add listeners before the call. */
  readonly events?: EventSink<RegistrationEvents> | undefined
}

/**
 * A service registry in etcd. Every method may throw DiscoError ETCD_UNREACHABLE or ETCD_DENIED. Methods that write
 * (`register`, `setWeight`, `unregister`) may also throw OUTCOME_UNKNOWN: etcd's response to a write was lost, and its
 * history does not show whether the write was applied.
 *
 * @example
 * ```ts
 * import { Registry } from 'disco-registry'
 *
 * const registry = await Registry.open({ endpoints: ['127.0.0.1:2379'] })
 * const { revision, endpoints } = await registry.list('hello')
 * console.log(revision, endpoints.map(({ addr, weight }) => `${addr} ${weight}`))
 * const stop = new AbortController()
 * for await (const update of registry.watch({ service: 'hello' }, stop.signal)) {
 *   if (update.type === 'changes') stop.abort()
 * }
 * registry.close()
 * ```
 */
export class Registry implements Discovery, AsyncDisposable {
  private readonly watches = new SharedWatches()
  private readonly streams: SharedStreams
  /** The cached lists on disk, opened by the first watch and shared by all, so that a warning appears only once. */
  private lists: ListCache | 'none' | null = null

  private constructor(
    private readonly client: EtcdClient,
    private readonly reader: Reader,
    private readonly options: RegistryOptions & Pick<EtcdOptions, 'endpoints'>,
  ) {
    this.streams = new SharedStreams(client)
  }

  /** Opens a registry, without connecting before its first request. @throws DiscoError USAGE */
  static async open(given: RegistryOptions = {}): Promise<Registry> {
    const options = await withContext(given, process.env)
    const reader = readerOf(options)
    const client = await openClient(options)
    return new Registry(client, reader, options)
  }

  /**
   * Lists the endpoints of one service, or of all services, sorted by key. An unknown service gives an empty list.
   *
   * @throws DiscoError REVISION_UNAVAILABLE
   */
  list(service?: string, { signal, revision }: ListOptions = {}): Promise<EndpointList> {
    return listEndpoints(this.client.under(signal), this.reader, service, { revision })
  }

  /**
   * Lists like `list`, but in pages, so that only one page of a long list is in memory. Yields each page as soon as
   * etcd has sent it, and at least one page, which may be empty. All pages have the same revision, unless etcd
   * compacts that revision first: the remaining pages then have a newer one.
   *
   * @example
   * ```ts
   * import { Registry } from 'disco-registry'
   *
   * const registry = await Registry.open({ endpoints: ['127.0.0.1:2379'] })
   * for await (const { endpoints } of registry.listPages('hello')) {
   *   for (const { addr } of endpoints) console.log(addr)
   * }
   * registry.close()
   * ```
   */
  listPages(
    service?: string,
    { signal, revision }: ListOptions = {},
  ): AsyncGenerator<EndpointList, void, void> {
    return endpointPages(this.client.under(signal), this.reader, service, revision)
  }

  /** Counts services, endpoints and keys of each layout. */
  countLayouts({ signal }: Abortable = {}): Promise<LayoutCounts> {
    return countLayouts(this.client.under(signal), readerOf({ layout: AUTO, root: this.reader.root }))
  }

  /** Lists like `list`. @throws DiscoError NOT_FOUND, with the most similar names, if the service has no endpoint */
  async listExisting(service: string, { signal, revision }: ListOptions = {}): Promise<EndpointList> {
    const listing = await this.list(service, { signal, revision })
    if (listing.endpoints.length > 0) return listing
    // The service may be registered in another layout.
    const everywhere = readerOf({ layout: AUTO, root: this.reader.root })
    const isOneLayout = this.reader.layout !== AUTO
    const [all, inOthers] = await Promise.all([
      unlessForbidden(this.list(undefined, { signal, revision })),
      isOneLayout
        ? unlessForbidden(listEndpoints(this.client.under(signal), everywhere, service, { revision }))
        : null,
    ])
    throw noSuchService({ service, reader: this.reader, listing }, { all, inOthers })
  }

  /** Remaining and granted TTL of each lease. Expired and revoked leases are omitted. */
  async ttls(leases: Iterable<LeaseId>, { signal }: Abortable = {}): Promise<ReadonlyMap<LeaseId, Ttl>> {
    return await leaseTtls(this.client.under(signal), leases)
  }

  /**
   * Watches a service. The resolver uses this method. All watches of a service (under one layout and root) share one
   * snapshot; a later watch first gets the current list. Watches of services in the same range, such as all with the
   * layout `auto`, share one etcd stream. If etcd is unreachable at the start, the first update is the last good list
   * from disk.
   *
   * A slow caller does not delay the etcd stream. At most 1,024 changed keys are buffered for it; if there are more,
   * one Reset with the whole list replaces them (source `etcd`).
   *
   * @throws DiscoError USAGE for a query with `from`, which only a combined registry takes
   */
  watch({ service, from, ...place }: Query, signal?: AbortSignal): AsyncGenerator<Update, void, void> {
    if (from !== undefined) {
      throw new DiscoError('USAGE', `A single registry cannot be watched from "${from}"`, {
        suggestions: ['combineRegistries({ … }) watches several by their names'],
      })
    }
    const reader = this.readerFor(place)
    const key = JSON.stringify([reader.layout, reader.root, service])
    return disposable((end) => this.watches.subscribe(key, this.openWatch(reader, service), end), signal)
  }

  /** Implements `Discovery`: names the layout, root and prefix searched, and other layouts that have the service. */
  async explainEmpty({ service, ...place }: Query, { signal }: Abortable = {}): Promise<string> {
    const reader = this.readerFor(place)
    const { layout, root } = reader
    const searched = `layout ${layout}, root ${root || 'none'}, prefix ${reader.prefix(service) || 'none'}`
    const others = await otherLayoutsOf(this.client.under(signal), reader, service)
    if (others.length === 0) return searched
    const remedies = others.map((name) => `?layout=${name}`).join(' or ')
    return `${searched}; it is registered in layout ${others.join(', ')}: add ${remedies} to the target`
  }

  private openWatch(reader: Reader, service: string): OpenWatch {
    return (signal, snapshot) => {
      const updates = watchEndpoints(this.client, reader, service, signal, { streams: this.streams })
      const { endpoints: members, cache } = this.options
      if (cache === false) return updates
      this.lists ??= openCache(cache)
      if (this.lists === 'none') return updates
      const target = { members, layout: reader.layout, root: reader.root, service }
      return cachedWatch(updates, snapshot, this.lists, target, maxAgeOf(cache))
    }
  }

  /**
   * Watches one service, or all services, on a separate etcd stream with backpressure: while the caller does not read,
   * the stream and its liveness checks are paused, and etcd keeps the events. If etcd compacts their revisions before the
   * caller reads again, one Resync replaces them.
   */
  follow(service: string | undefined, signal?: AbortSignal): AsyncGenerator<Update, void, void> {
    return disposable((end) => watchEndpoints(this.client, this.reader, service, end), signal)
  }

  /**
   * Grants a lease, puts the keys under it, and keeps it alive until the registration is closed.
   *
   * @throws DiscoError USAGE, CONFLICT, OUTCOME_UNKNOWN
   */
  register(
    request: RegistrationRequest,
    {
      events = new EventEmitter<RegistrationEvents>(),
      signal = new AbortController().signal,
    }: HoldOptions = {},
  ): Promise<Registration> {
    return Registration.acquire(this.client, writableLayout(this.reader), request, events, signal)
  }

  /**
   * Sets the weight of the selected endpoints and keeps their leases. Uses one transaction, or several if etcd's limits
   * require it.
   *
   * @throws DiscoError NOT_FOUND; CONFLICT (several endpoints match an address, the first weight of a service would
   *   drain its other endpoints, or the last weight above 0 would become 0); OUTCOME_UNKNOWN
   */
  async setWeight(
    selection: EndpointSelection,
    weight: WeightForm,
    options: WeightOptions = {},
  ): Promise<WeightChanged> {
    const change = weightChangeOf(weight)
    const { endpoints: service, revision } = await this.listExisting(selection.service, options)
    // A change to 0 selects drained endpoints too: they have the weight 0 already, and are not reported as left out.
    const isToZero = change.kind === 'set' && change.weight === 0
    const targets = chooseTargets(service, selection, { drained: isToZero || options.drained })
    if (options.dryRun) return plannedWeights(targets, change, revision, options)
    return await setWeight(this.client.under(options.signal), this.reader, targets, change, options)
  }

  /** The last weight above 0 of a drained endpoint; null if etcd's history does not contain one. */
  lastWeight(endpoint: Endpoint, { signal }: Abortable = {}): Promise<number | null> {
    return lastWeight(this.client.under(signal), this.reader, endpoint)
  }

  /** Removes endpoints. Succeeds if there is none to remove. @throws DiscoError CONFLICT, OUTCOME_UNKNOWN */
  async unregister(
    selection: EndpointSelection,
    { signal, endWait = new AbortController().signal }: UnregisterOptions = {},
  ): Promise<Unregistered> {
    const { revision, endpoints } = await this.list(selection.service, { signal })
    return await unregister(this.client.under(signal), this.reader, endpoints, selection, revision, endWait)
  }

  /** Whether a lease is alive. If a key is gone and its lease is alive, the key was deleted: it did not expire. */
  async leaseLives(lease: LeaseId, { signal }: Abortable = {}): Promise<boolean> {
    return (await leaseTtl(this.client.under(signal), lease)) !== null
  }

  /** @internal The client and the reader, for other modules of this package. */
  internals({ signal }: Abortable = {}): { readonly client: EtcdClient; readonly reader: Reader } {
    return { client: this.client.under(signal), reader: this.reader }
  }

  /** @internal The same registry, but a user can end its requests. Watches are not affected. */
  interruptible(interruption: Interruption): Registry {
    return Object.create(this, { client: { value: this.client.interruptible(interruption) } })
  }

  /** Closes the connections to etcd. End watches and registrations first: open ones keep the process alive. */
  close(): void {
    this.client.close()
  }

  /** Calls `close`, at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /** The reader for a query, which may name a layout or root other than the registry's. */
  private readerFor({ layout = this.reader.layout, root = this.reader.root }: Place): Reader {
    const isOwn = layout === this.reader.layout && root === this.reader.root
    return isOwn ? this.reader : readerOf({ layout, root })
  }
}
