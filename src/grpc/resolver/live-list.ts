import type { Reset, Stale, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import { endpointsOf } from '../../domain/snapshot.js'
import { DeliveryWindow, LEAST_MS, MOST_MS } from './delivery-window.js'

/** The registry's list as a channel receives it. */
export interface ResolvedList {
  /** 0 before the first list. */
  readonly revision: Revision
  /** All endpoints of the service, including undialable ones. The same array as long as nothing changes. */
  readonly registered: readonly Endpoint[]
  /** Why the registry is unreachable, or null while it is reachable. */
  readonly stale: DiscoError | null
  /** Time since the list was seen in etcd, in milliseconds, if it came from the cache; null for one from etcd. */
  readonly cachedAgeMs: number | null
  /** For a list with nothing to dial: where it was looked up; see `Discovery.explainEmpty`. */
  readonly lookedIn?: string | null
  /** Whether the list may differ from the one delivered before; false if only `stale` or the age differs. */
  readonly isNew: boolean
}

/** The registry's list, and what a channel's target selects of it. */
export interface SelectedList extends ResolvedList {
  /** Those that the target's conditions select, including what cannot be dialled: all of `registered` without any. */
  readonly selected: readonly Endpoint[]
}

/**
 * The list of a service, kept up to date by the updates of a watch. A new list is delivered at once, changes through
 * a {@link DeliveryWindow}. A deletion waits for 20 ms: a key that is put back at once, for example after a lost
 * lease, must not cost its connection. The deletion of the last key waits for 100 ms: if etcd ends all leases
 * together, as a suspended leader of 3.4 may, an empty list would fail all calls until the keys are back. The cost of
 * an update depends on its changes; only a delivery walks the whole list.
 */
export class LiveList {
  private readonly snapshot = new LiveSnapshot()
  private registered: readonly Endpoint[] | null = null
  /** When the list was received, by `performance.now()`, if it came from the cache. */
  private cachedSinceMs: number | null = null
  private stale: Stale | null = null
  private readonly window = new DeliveryWindow(() => this.deliverNew())

  constructor(private readonly deliver: (now: ResolvedList) => void) {}

  /** Whether no list has been received yet. */
  get isEmpty(): boolean {
    return this.snapshot.isEmpty
  }

  private get cachedAgeMs(): number | null {
    return this.cachedSinceMs === null ? null : Math.round(performance.now() - this.cachedSinceMs)
  }

  /** The list with all updates, including undelivered ones. */
  get now(): ResolvedList {
    const { cachedAgeMs } = this
    this.registered ??= endpointsOf(this.snapshot)
    const { registered } = this
    const { revision } = this.snapshot
    const stale = this.stale?.cause ?? null
    return { revision, registered, stale, cachedAgeMs, isNew: !this.isEmpty }
  }

  /** The current state as updates: the list and the outage, if any. */
  get asUpdates(): Update[] {
    const reset = this.reset()
    return [...(reset ? [reset] : []), ...(this.stale ? [this.stale] : [])]
  }

  take(update: Update): void {
    if (update.type === 'stale') {
      this.window.flush()
      this.stale = update
      this.deliver({ ...this.now, isNew: false })
      return
    }
    this.snapshot.apply(update)
    this.registered = null
    if (update.type === 'reset') {
      this.window.drop()
      this.cachedSinceMs = update.source === 'cache' ? performance.now() - update.ageMs : null
      this.deliverNew()
    } else if (this.snapshot.byKey.size === 0) this.window.open(MOST_MS)
    else this.window.open(update.changes.some(({ type }) => type === 'delete') ? LEAST_MS : 0)
  }

  close(): void {
    this.window.drop()
  }

  private deliverNew(): void {
    if (this.cachedSinceMs === null) this.stale = null
    this.deliver(this.now)
  }

  private reset(): Reset | null {
    const reset = this.snapshot.reset()
    if (reset?.source !== 'cache') return reset
    return { ...reset, ageMs: this.cachedAgeMs ?? reset.ageMs }
  }
}
