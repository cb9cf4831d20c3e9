import type { Discovery, Query } from '../domain/discovery.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import type { Origin } from '../domain/origins.js'
import type { ResolvedList } from '../grpc/resolver/live-list.js'
import { ServiceWatches } from '../grpc/resolver/service-watch.js'

/** A watch of one service, or of all services of the discovery. */
export interface ListSource {
  readonly discovery: Discovery
  readonly query: Query
  /** Null if the list has all services. */
  readonly service: string | null
}

/** The change of a registry to unreachable or reachable. The last lists are kept. */
export interface RegistryOutage {
  /** The service of the source; null if it has all services. */
  readonly service: string | null
  /** The name of the registry; null if there is only one. */
  readonly registry: string | null
  /** Null once it is reachable again. */
  readonly cause: DiscoError | null
  /** The age of its list if it came from the cache; otherwise null. */
  readonly cachedAgeMs: number | null
  /** What clients receive meanwhile: its last list, only the lists of other registries, or nothing yet. */
  readonly served: 'last' | 'others' | 'nothing'
}

export interface ListsListener {
  /** @param services endpoints of the changed services, by name; empty for a service that was removed */
  listed(services: ReadonlyMap<string, readonly Endpoint[]>, source: ListSource): void
  outage(outage: RegistryOutage, source: ListSource): void
}

/** Watches the lists of services as a resolver does: updates are batched, and a failed watch is retried forever. */
export class ServiceLists {
  private readonly leave: readonly (() => void)[]
  private readonly lists: readonly SourceList[]

  /** @param listener not called before the constructor returns */
  constructor(sources: readonly ListSource[], listener: ListsListener, random: () => number) {
    this.lists = sources.map((source) => new SourceList(source, listener))
    this.leave = this.lists.map((list) =>
      new ServiceWatches(list.source.discovery, random).join(list.source.query, list),
    )
  }

  /** Whether each of several registries has sent a list, or is known to be unreachable. */
  get haveAllAnswered(): boolean {
    return this.lists.every(({ haveAllAnswered }) => haveAllAnswered)
  }

  close(): void {
    for (const leave of this.leave) leave()
  }
}

/** The registries that a source combines; empty for a single registry. */
export function registriesOf({ discovery, query }: ListSource): readonly Origin[] {
  const origins = discovery.originsOf?.(query.from) ?? []
  return origins.length < 2 ? [] : origins
}

class SourceList {
  private services: ReadonlyMap<string, readonly Endpoint[]> = new Map()
  /** Why registries are unreachable, by name; the key null is the only registry. */
  private readonly outages = new Map<string | null, string>()
  private isListed = false
  haveAllAnswered = false

  constructor(
    readonly source: ListSource,
    private readonly listener: ListsListener,
  ) {}

  resolved({ registered, isNew, stale, cachedAgeMs, registries }: ResolvedList): void {
    if (isNew) this.list(registered)
    this.haveAllAnswered = (registries ?? []).every(({ hasAnswered }) => hasAnswered)
    if (!registries) this.report(null, stale, cachedAgeMs, this.isListed)
    for (const { registry, stale, cachedAgeMs, revision } of registries ?? [])
      this.report(registry, stale, cachedAgeMs, revision !== 0)
  }

  failed(cause: DiscoError): void {
    // With several registries, `resolved` reports the state of each.
    if (registriesOf(this.source).length === 0) this.report(null, cause, null, this.isListed)
  }

  private report(
    registry: string | null,
    cause: DiscoError | null,
    cachedAgeMs: number | null,
    hasList: boolean,
  ): void {
    const text = cause?.message
    if (text === this.outages.get(registry)) return
    if (text === undefined) this.outages.delete(registry)
    else this.outages.set(registry, text)
    const served = hasList ? 'last' : this.isListed ? 'others' : 'nothing'
    const { service } = this.source
    this.listener.outage({ service, registry, cause, cachedAgeMs, served }, this.source)
  }

  private list(registered: readonly Endpoint[]): void {
    const before = this.services
    const now = new Map<string, Endpoint[]>()
    const { service } = this.source
    if (service !== null) now.set(service, [])
    for (const endpoint of registered) {
      const name = service ?? endpoint.service
      const siblings = now.get(name)
      if (siblings) siblings.push(endpoint)
      else now.set(name, [endpoint])
    }
    this.services = now
    const changed = new Map<string, readonly Endpoint[]>()
    for (const [name, endpoints] of now)
      if (!isSame(endpoints, before.get(name))) changed.set(name, endpoints)
    for (const name of before.keys()) if (!now.has(name)) changed.set(name, [])
    if (this.isListed && changed.size === 0) return
    this.isListed = true
    this.listener.listed(changed, this.source)
  }
}

/** An endpoint that has not changed is the same object. */
function isSame(one: readonly Endpoint[], other: readonly Endpoint[] | undefined): boolean {
  return one.length === other?.length && one.every((endpoint, at) => endpoint === other[at])
}
