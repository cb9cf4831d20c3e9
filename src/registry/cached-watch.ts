import type { Reset, Update } from '../domain/discovery.js'
import type { LiveSnapshot } from '../domain/live-snapshot.js'
import { endpointsOf } from '../domain/snapshot.js'
import type { CacheTarget, ListCache } from './cache.js'

/** A short list is written this long after its first change: bursts of changes are written once. */
const FIRST_WRITE_MS = 2_000

/** A long list is written less often: one second per this many endpoints, at most once a minute. */
const ENDPOINTS_PER_SECOND = 250

/** An unchanged list is written again after this time, so that its age stays correct. */
const CONFIRM_PERIOD_MS = 60_000

/**
 * Passes a service's updates on and writes the list to disk as it changes. If etcd is unreachable from the start, the
 * list from disk comes first, unless it is older than `maxAgeMs`.
 *
 * @param snapshot the list after the updates that were taken, see `OpenWatch`
 */
export async function* cachedWatch(
  updates: AsyncIterable<Update>,
  snapshot: LiveSnapshot,
  cache: ListCache,
  target: CacheTarget,
  maxAgeMs: number,
): AsyncGenerator<Update, void, void> {
  using keeper = new ListKeeper(snapshot, cache, target)
  let isFirst = true
  for await (const update of updates) {
    if (isFirst && update.type === 'stale') {
      const cached = await readList(cache, target, maxAgeMs)
      if (cached) yield cached
    }
    isFirst = false
    yield update
    keeper.taken(update)
  }
}

async function readList(cache: ListCache, target: CacheTarget, maxAgeMs: number): Promise<Reset | null> {
  const list = await cache.read(target)
  if (!list) return null
  const ageMs = Math.max(0, Date.now() - list.seenAtMs)
  if (ageMs > maxAgeMs) return null
  return { type: 'reset', revision: list.revision, endpoints: list.endpoints, source: 'cache', ageMs }
}

/**
 * Writes the list of a watch: the first at once, changes after a delay, and an unchanged list periodically. The work
 * is bounded by time, not by the number of changes.
 */
class ListKeeper implements Disposable {
  private isLive = false
  private isWriteDue = false
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly snapshot: LiveSnapshot,
    private readonly cache: ListCache,
    private readonly target: CacheTarget,
  ) {}

  /** Called with each update once the snapshot contains it. */
  taken(update: Update): void {
    if (update.type === 'stale') {
      this.rest()
      return
    }
    if (!this.isLive) this.write()
    else if (!this.isWriteDue) {
      this.isWriteDue = true
      this.writeIn(writePeriodMs(this.snapshot.byKey.size))
    }
    this.isLive = true
  }

  [Symbol.dispose](): void {
    this.rest()
  }

  /** The list can no longer be confirmed: writes it one last time. */
  private rest(): void {
    if (this.isLive) this.write()
    this.isLive = false
    clearTimeout(this.timer)
  }

  private writeIn(periodMs: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.write(), periodMs).unref()
  }

  private write(): void {
    this.isWriteDue = false
    const { revision } = this.snapshot
    const list = { revision, endpoints: endpointsOf(this.snapshot), seenAtMs: Date.now() }
    this.writing = this.writing.then(() => this.cache.write(this.target, list))
    this.writeIn(CONFIRM_PERIOD_MS)
  }
}

/** Time from the first change of a list to its write, in milliseconds. */
export function writePeriodMs(endpoints: number): number {
  const periodMs = (endpoints / ENDPOINTS_PER_SECOND) * 1_000
  return Math.min(CONFIRM_PERIOD_MS, Math.max(FIRST_WRITE_MS, periodMs))
}
