import type { Any } from '@bufbuild/protobuf/wkt'
import type { Endpoint } from '../domain/endpoint.js'
import type { Selector } from '../domain/selector.js'
import { DeliveryWindow, MIN_MS } from '../grpc/resolver/delivery-window.js'
import { HostNames } from './host-names.js'
import { type Assignment, assignmentOf, hostNamesOf } from './localities.js'
import { loadAssignment } from './resources.js'
import type { ListSource } from './service-lists.js'

export interface CatalogSettings {
  readonly sources: readonly ListSource[]
  /** See `AssignmentSettings.canary`. */
  readonly canary: Selector | null
  /** Addresses of a host name, as IP literals. */
  readonly lookup: (host: string) => Promise<readonly string[]>
  readonly changed: (change: CatalogChange) => void
  /** Called when a service's assignment was computed again. It may be unchanged. */
  readonly built?: (service: string, assignment: Assignment) => void
}

export interface CatalogChange {
  /** Services whose assignments have changed. */
  readonly assignments: ReadonlySet<string>
  /** Whether services were added or removed, or a source has sent its first list. */
  readonly hasNameChanges: boolean
}

/** A service and the assignment that clients receive. */
export interface ServedService {
  readonly endpoints: readonly Endpoint[]
  readonly assignment: Assignment
}

interface Entry {
  endpoints: readonly Endpoint[]
  /** Null until it is built for the first time. */
  assignment: Assignment | null
  /** The resource that clients receive; null while the service has only host names that have not been resolved yet. */
  resource: Any | null
}

/** The assignments of all services, built from lists of the registry and addresses of host names. */
export class Catalog {
  /** Incremented by each change that clients can see. */
  version = 0
  private readonly entries = new Map<string, Entry>()
  /** Sources whose first list has not arrived. */
  private readonly awaited: Set<ListSource>
  private readonly hosts: HostNames
  private readonly touched = new Set<string>()
  private readonly window = new DeliveryWindow(() => this.rebuild(false))

  constructor(private readonly settings: CatalogSettings) {
    this.awaited = new Set(settings.sources)
    this.hosts = new HostNames({
      lookup: settings.lookup,
      changed: (services) => {
        for (const service of services) this.touched.add(service)
        // Collects changes, because names that are looked up together are resolved at about the same time.
        this.window.open(MIN_MS)
      },
    })
  }

  /** The names of all services; null before the first list of each source. */
  get names(): Iterable<string> | null {
    return this.awaited.size > 0 ? null : this.entries.keys()
  }

  /** The known services and their names. */
  *services(): Iterable<readonly [name: string, ServedService]> {
    for (const [name, { endpoints, assignment }] of this.entries)
      yield [name, { endpoints, assignment: assignment ?? { localities: [], omissions: [] } }]
  }

  /** The services of the sources whose first list has not arrived; null for a source of all services. */
  get awaitedServices(): readonly (string | null)[] {
    return [...this.awaited].map(({ service }) => service)
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  /**
   * The assignment of a service; empty if the service does not exist. Null if it is not known yet whether the service
   * exists, or its host names have not been resolved yet.
   */
  assignment(name: string): Any | null {
    const entry = this.entries.get(name)
    if (entry) return entry.resource
    for (const { service } of this.awaited) if (service === null || service === name) return null
    return loadAssignment(name, [])
  }

  /** Applies the endpoints of changed services; an empty list for a removed service. */
  listed(services: ReadonlyMap<string, readonly Endpoint[]>, source: ListSource): void {
    let hasNameChanges = this.awaited.delete(source)
    for (const [name, endpoints] of services) {
      this.touched.add(name)
      const entry = this.entries.get(name)
      if (entry) entry.endpoints = endpoints
      else {
        hasNameChanges = true
        this.entries.set(name, { endpoints, assignment: null, resource: null })
      }
    }
    this.rebuild(hasNameChanges)
  }

  close(): void {
    this.window.drop()
    this.hosts.close()
  }

  private rebuild(hasNewNames: boolean): void {
    const before = this.entries.size
    const assignments = new Set<string>()
    for (const name of this.touched) if (this.build(name)) assignments.add(name)
    this.touched.clear()
    const hasNameChanges = hasNewNames || this.entries.size < before
    if (assignments.size === 0 && !hasNameChanges) return
    this.version++
    this.settings.changed({ assignments, hasNameChanges })
  }

  /** Computes a service's assignment. @returns whether it has changed */
  private build(name: string): boolean {
    const entry = this.entries.get(name)
    if (!entry) return false
    const { endpoints } = entry
    const names = hostNamesOf(endpoints)
    this.hosts.use(name, names)
    const isGone = endpoints.length === 0 && !this.settings.sources.some(({ service }) => service === name)
    if (isGone) this.entries.delete(name)
    const { canary } = this.settings
    const assignment = assignmentOf(endpoints, {
      canary,
      ipsOf: (host) => this.hosts.ipsOf(host),
      progressOf: (host) => this.hosts.progressOf(host),
    })
    this.settings.built?.(name, assignment)
    // A service must not become empty while its host names are resolved: it keeps its previous resource until one of
    // them has addresses.
    const { localities, omissions } = assignment
    const isHeld = localities.length === 0 && omissions.some(({ lookup }) => lookup !== 'ended')
    if (isHeld && entry.resource) return false
    entry.assignment = assignment
    if (isHeld) return false
    const before = entry.resource
    entry.resource = loadAssignment(name, localities)
    return isGone || !before || Buffer.compare(before.value, entry.resource.value) !== 0
  }
}
