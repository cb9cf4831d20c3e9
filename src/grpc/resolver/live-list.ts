import type { Changes, Resync, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../domain/snapshot.js'
import { Batch } from './batch.js'

/** The registry's list as a channel has it. */
export interface ResolvedList {
  readonly revision: Revision
  /** All of the service, including what cannot be dialled. */
  readonly registered: readonly Endpoint[]
  /** Why the registry is out of reach, or null while it is not. */
  readonly stale: DiscoError | null
  /** How old the list was when it came from the cache; null for one from etcd. */
  readonly cachedAgeMs: number | null
  /** Whether the list may differ from the last one told, rather than only its standing. */
  readonly isNew: boolean
}

/**
 * Makes lists of updates: a whole new list at once, changes in batches. A deletion waits for 20 ms: a key that is
 * put back at once, after a lost lease, say, must not cost its connection.
 */
export class LiveList {
  private snapshot = EMPTY_SNAPSHOT
  private hasList = false
  private stale: DiscoError | null = null
  private cachedAgeMs: number | null = null
  private readonly batch = new Batch<Changes | Resync>((updates) => this.apply(...updates))

  constructor(private readonly tell: (now: ResolvedList) => void) {}

  /** Whether there was no list yet. */
  get isEmpty(): boolean {
    return !this.hasList
  }

  take(update: Update): void {
    if (update.type === 'stale') {
      this.batch.flush()
      this.stale = update.cause
      this.tellNow(false)
    } else if (update.type === 'reset') {
      this.batch.drop()
      this.hasList = true
      this.cachedAgeMs = update.source === 'cache' ? update.ageMs : null
      this.apply(update)
    } else
      this.batch.add(
        update,
        update.changes.some(({ type }) => type === 'delete'),
      )
  }

  close(): void {
    this.batch.drop()
  }

  private apply(...updates: readonly Update[]): void {
    if (this.cachedAgeMs === null) this.stale = null
    this.snapshot = apply(this.snapshot, ...updates)
    this.tellNow(true)
  }

  private tellNow(isNew: boolean): void {
    const { snapshot, stale, cachedAgeMs } = this
    this.tell({ revision: snapshot.revision, registered: endpointsOf(snapshot), stale, cachedAgeMs, isNew })
  }
}
