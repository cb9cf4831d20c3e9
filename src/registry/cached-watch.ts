import type { Reset, Update } from '../domain/discovery.js'
import { AUTO } from '../domain/layouts/reader.js'
import type { LiveSnapshot } from '../domain/live-snapshot.js'
import { endpointsOf } from '../domain/snapshot.js'
import type { CacheTarget, ListCache } from './cache.js'
import type { CachedList } from './cached-list.js'

/** Wait between the first change of a short list and its write, so that a burst of changes is written once. */
const FIRST_WRITE_MS = 2_000

/** The wait for a long list is one second per this many endpoints, but at most a minute. */
const ENDPOINTS_PER_SECOND = 250

/** An unchanged list is written again after this time, so that its age stays correct. */
const CONFIRM_PERIOD_MS = 60_000

/**
 * Yields the updates of a service, and writes the list to disk as it changes. If etcd is unreachable from the start, the
 * list from disk comes first, unless it is older than `maxAgeMs`.
 *
 * @param snapshot the list after all yielded updates, see `OpenWatch`
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
  const lists = [await cache.read(target), await readAuto(cache, target)].filter((list) => list !== null)
  const [list] = lists.sort((a, b) => b.seenAtMs - a.seenAtMs)
  if (!list) return null
  const ageMs = Math.max(0, Date.now() - list.seenAtMs)
  if (ageMs > maxAgeMs) return null
  return { type: 'reset', revision: list.revision, endpoints: list.endpoints, source: 'cache', ageMs }
}

/** The endpoints in the target's layout from the cached list of the layout `auto`; null if there are none. */
async function readAuto(cache: ListCache, target: CacheTarget): Promise<CachedList | null> {
  if (target.layout === AUTO) return null
  const list = await cache.read({ ...target, layout: AUTO })
  const endpoints = (list?.endpoints ?? []).filter(({ layout }) => layout === target.layout)
  return list && endpoints.length > 0 ? { ...list, endpoints } : null
}

/**
 * Writes the list of a watch: the first at once, changes after a delay, and an unchanged list periodically. The number of
 * writes depends on the time, not on the number of changes or outages.
 */
class ListKeeper implements Disposable {
  /** Whether the list is known to be current: false before the first list, and during an outage. */
  private isLive = false
  /** Whether the list differs from the written one. */
  private isChanged = false
  /** When the list was last written, on the clock of `performance.now()`. */
  private writtenAtMs: number | null = null
  /** When the list was last known to be current (wall clock), while `isLive` is false. */
  private seenAtMs = 0
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
      this.pause()
      return
    }
    this.isLive = true
    const isWriteDue = this.isChanged
    if (update.type === 'reset' || update.changes.length > 0) this.isChanged = true
    if (this.writtenAtMs === null) this.write()
    else if (!this.isChanged) this.confirmInTime()
    else if (!isWriteDue) this.writeIn(this.periodMs)
  }

  [Symbol.dispose](): void {
    if (this.isChanged || this.isOutdated) this.write()
    clearTimeout(this.timer)
  }

  /** Begins an outage. A link that breaks repeatedly does not cause more writes than changes would. */
  private pause(): void {
    if (!this.isLive) return
    const { isOutdated } = this
    this.isLive = false
    this.seenAtMs = Date.now()
    clearTimeout(this.timer)
    if (isOutdated) this.write()
    else if (this.isChanged) this.writeIn(this.periodMs - this.sinceWriteMs)
  }

  /** Whether the time of the last confirmation should be written, even without a change. */
  private get isOutdated(): boolean {
    return this.isLive && this.sinceWriteMs >= this.periodMs
  }

  private get sinceWriteMs(): number {
    return performance.now() - (this.writtenAtMs ?? Number.NEGATIVE_INFINITY)
  }

  private get periodMs(): number {
    return writePeriodMs(this.snapshot.byKey.size)
  }

  private confirmInTime(): void {
    this.writeIn(CONFIRM_PERIOD_MS - this.sinceWriteMs)
  }

  private writeIn(delayMs: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.write(), Math.max(0, delayMs)).unref()
  }

  private write(): void {
    this.isChanged = false
    this.writtenAtMs = performance.now()
    const seenAtMs = this.isLive ? Date.now() : this.seenAtMs
    const list = { revision: this.snapshot.revision, endpoints: endpointsOf(this.snapshot), seenAtMs }
    this.writing = this.writing.then(() => this.cache.write(this.target, list))
    if (this.isLive) this.confirmInTime()
  }
}

/** Time from the first change of a list to its write, in milliseconds. */
export function writePeriodMs(endpoints: number): number {
  const periodMs = (endpoints / ENDPOINTS_PER_SECOND) * 1_000
  return Math.min(CONFIRM_PERIOD_MS, Math.max(FIRST_WRITE_MS, periodMs))
}
