import type { Reset, Stale, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import type { Origin } from '../../domain/origins.js'
import { endpointsOf } from '../../domain/snapshot.js'

/** The state of one of several registries. */
export interface RegistryState extends Origin {
  /** 0 before its first list. */
  readonly revision: Revision
  /** Number of endpoints in its list. */
  readonly endpoints: number
  /** Whether it has given a list, or is known to be unreachable. */
  readonly hasAnswered: boolean
  /** Why it is unreachable, or null while it is reachable. */
  readonly stale: DiscoError | null
  /** Time since its list was seen in etcd, in milliseconds, if it came from the cache; null for one from etcd. */
  readonly cachedAgeMs: number | null
}

/** The part of a service's list that came from one registry. */
export class ListPart {
  readonly snapshot = new LiveSnapshot()
  stale: Stale | null = null
  /** When the list was received, by `performance.now()`, if it came from the cache. */
  private cachedSinceMs: number | null = null
  private listed: readonly Endpoint[] | null = null

  /** @param origin null for the only registry */
  constructor(private readonly origin: Origin | null) {}

  get name(): string | undefined {
    return this.origin?.registry
  }

  get priority(): number {
    return this.origin?.priority ?? 0
  }

  get hasAnswered(): boolean {
    return !this.snapshot.isEmpty || this.stale !== null
  }

  /** The same array as long as nothing changes. */
  get endpoints(): readonly Endpoint[] {
    this.listed ??= endpointsOf(this.snapshot)
    return this.listed
  }

  get cachedAgeMs(): number | null {
    return this.cachedSinceMs === null ? null : Math.round(performance.now() - this.cachedSinceMs)
  }

  get state(): RegistryState {
    const { registry = '', priority = 0, weight = 1 } = this.origin ?? {}
    return {
      registry,
      priority,
      weight,
      revision: this.snapshot.revision,
      endpoints: this.endpoints.length,
      hasAnswered: this.hasAnswered,
      stale: this.stale?.cause ?? null,
      cachedAgeMs: this.cachedAgeMs,
    }
  }

  /** The current state as updates. */
  get asUpdates(): Update[] {
    const reset = this.reset()
    return [...(reset ? [reset] : []), ...(this.stale ? [this.stale] : [])]
  }

  take(update: Update): void {
    if (update.type === 'stale') {
      this.stale = update
      return
    }
    this.snapshot.apply(update)
    this.listed = null
    if (update.type === 'reset')
      this.cachedSinceMs = update.source === 'cache' ? performance.now() - update.ageMs : null
    // A list from the cache ends no outage.
    if (this.cachedSinceMs === null) this.stale = null
  }

  private reset(): Reset | null {
    const reset = this.snapshot.reset()
    if (reset === null) return null
    const own = this.name === undefined ? reset : { ...reset, registry: this.name }
    return own.source === 'cache' ? { ...own, ageMs: this.cachedAgeMs ?? own.ageMs } : own
  }
}
