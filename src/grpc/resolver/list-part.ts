import type { Reset, Stale, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import type { Origin } from '../../domain/origins.js'
import { endpointsOf } from '../../domain/snapshot.js'

/** The state of one of several registries, as a channel sees it. */
export interface RegistryState extends Origin {
  /** The etcd revision of the registry's list; 0 before the first list. */
  readonly revision: Revision
  /** Number of endpoints in the registry's list. */
  readonly endpoints: number
  /** Whether a list has been received, or the registry is known to be unreachable. */
  readonly hasAnswered: boolean
  /** Why the registry is unreachable; null while it is reachable. */
  readonly stale: DiscoError | null
  /** Time since the list was read from etcd, in milliseconds, if it came from the cache; null if it came from etcd. */
  readonly cachedAgeMs: number | null
}

/** The part of a service's list that came from one registry. */
export class ListPart {
  readonly snapshot = new LiveSnapshot()
  stale: Stale | null = null
  /** When the list was read from etcd, on the clock of `performance.now()`; null if it did not come from the cache. */
  private cachedSinceMs: number | null = null
  private listed: readonly Endpoint[] | null = null

  /** @param origin null if there is only one registry */
  constructor(private readonly origin: Origin | null) {}

  get name(): string | undefined {
    return this.origin?.registry
  }

  get priority(): number {
    return this.origin?.priority ?? 0
  }

  get hasAnswered(): boolean {
    return !this.snapshot.hasNoList || this.stale !== null
  }

  /** Returns the same array until the list changes. */
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

  /** The updates that recreate the current state: the list, and the outage if there is one. */
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
    // A list from the cache does not end an outage.
    if (this.cachedSinceMs === null) this.stale = null
  }

  private reset(): Reset | null {
    const reset = this.snapshot.reset()
    if (reset === null) return null
    const own = this.name === undefined ? reset : { ...reset, registry: this.name }
    return own.source === 'cache' ? { ...own, ageMs: this.cachedAgeMs ?? own.ageMs } : own
  }
}
