import type { Reset, Stale, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import { endpointsOf } from '../../domain/snapshot.js'
import { DeliveryWindow, LEAST_MS, MOST_MS } from './delivery-window.js'

/** The registry's list as a channel has it. */
export interface ResolvedList {
  /** 0 where there is no list yet. */
  readonly revision: Revision
  /** All of the service, including what cannot be dialled. The same array as long as nothing changes. */
  readonly registered: readonly Endpoint[]
  /** Why the registry is out of reach, or null while it is not. */
  readonly stale: DiscoError | null
  /** Time since the list was seen in etcd, in milliseconds, if it came from the cache; null for one from etcd. */
  readonly cachedAgeMs: number | null
  /** For a list with nothing to dial: where it was looked for; see `Discovery.explainEmpty`. */
  readonly lookedIn?: string | null
  /** Whether the list may differ from the one delivered before; false where only `stale` or the age differs. */
  readonly isNew: boolean
}

/** The registry's list, and what a channel's target selects of it. */
export interface SelectedList extends ResolvedList {
  /** Those that the target's conditions select, including what cannot be dialled: all of `registered` without any. */
  readonly selected: readonly Endpoint[]
}

/**
 * The list of a service, kept up to date by the updates of a watch. A new list is delivered at once, changes through
 * a {@link DeliveryWindow}. A deletion waits for 20 ms: a key that is put back at once, after a lost lease, say,
 * must not cost its connection. The deletion of the last key waits for 100 ms: where etcd ends all leases together,
 * as a leader of 3.4 may that was suspended, an empty list would fail every call until the keys are back. An update costs what it changes; only a delivery walks the whole list.
 */
export class LiveList {
  private readonly snapshot = new LiveSnapshot()
  private registered: readonly Endpoint[] | null = null
  /** When the list was seen, by `performance.now()`, if it came from the cache. */
  private cachedSinceMs: number | null = null
  private stale: Stale | null = null
  private readonly window = new DeliveryWindow(() => this.deliverNew())

  constructor(private readonly deliver: (now: ResolvedList) => void) {}

  /** Whether there was no list yet. */
  get isEmpty(): boolean {
    return this.snapshot.isEmpty
  }

  private get cachedAgeMs(): number | null {
    return this.cachedSinceMs === null ? null : Math.round(performance.now() - this.cachedSinceMs)
  }

  /** The list with all updates, including those that are still to be delivered. */
  get now(): ResolvedList {
    const { cachedAgeMs } = this
    this.registered ??= endpointsOf(this.snapshot)
    const { registered } = this
    const { revision } = this.snapshot
    const stale = this.stale?.cause ?? null
    return { revision, registered, stale, cachedAgeMs, isNew: !this.isEmpty }
  }

  /** The same as updates: the list, if there is one, and an outage, if there is one. */
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
