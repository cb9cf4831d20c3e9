import type { Discovery, Query } from '../domain/discovery.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import type { ResolvedList } from '../grpc/resolver/live-list.js'
import { ServiceWatches } from '../grpc/resolver/service-watch.js'

/** A watch of one service, or of all that the discovery has. */
export interface ListSource {
  readonly discovery: Discovery
  readonly query: Query
  /** Null if the discovery's list is of all services. */
  readonly service: string | null
}

export interface ListsListener {
  /** The endpoints of services that changed; none if a service has left. `name` is of the source. */
  listed(services: ReadonlyMap<string, readonly Endpoint[]>, source: ListSource): void
  /** Why the registry is unreachable; null once it is reachable again. The last lists are kept. */
  stale(source: ListSource, cause: DiscoError | null, cachedAgeMs: number | null): void
}

/** Follows the lists of services by the resolver's own watch: batched, and retried without an end. */
export class ServiceLists {
  private readonly leave: readonly (() => void)[]

  /** @param listener not called before the constructor returns */
  constructor(sources: readonly ListSource[], listener: ListsListener, random: () => number) {
    this.leave = sources.map((source) => {
      const list = new SourceList(source, listener)
      return new ServiceWatches(source.discovery, random).join(source.query, list)
    })
  }

  close(): void {
    for (const leave of this.leave) leave()
  }
}

class SourceList {
  private services: ReadonlyMap<string, readonly Endpoint[]> = new Map()
  private staleText: string | null = null
  private isListed = false

  constructor(
    private readonly source: ListSource,
    private readonly listener: ListsListener,
  ) {}

  resolved({ registered, isNew, stale, cachedAgeMs }: ResolvedList): void {
    if (isNew) this.list(registered)
    this.report(stale, cachedAgeMs)
  }

  failed(cause: DiscoError): void {
    this.report(cause, null)
  }

  private report(stale: DiscoError | null, cachedAgeMs: number | null): void {
    const text = stale?.message ?? null
    if (text === this.staleText) return
    this.staleText = text
    this.listener.stale(this.source, stale, cachedAgeMs)
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
