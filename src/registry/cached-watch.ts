import type { Reset, Update } from '../domain/discovery.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../domain/snapshot.js'
import type { CacheTarget, ListCache } from './cache.js'

/** Bursts of changes are written once. */
const WRITE_PERIOD_MS = 2_000

/** A list that stays right is said to be so again, lest it look older than it is. */
const CONFIRM_PERIOD_MS = 60_000

/**
 * A service's updates, kept on disk as they come. Where etcd is out of reach from the start, the list that was
 * kept comes first, unless it is older than `maxAgeMs`.
 */
export async function* cachedWatch(
  updates: AsyncIterable<Update>,
  cache: ListCache,
  target: CacheTarget,
  maxAgeMs: number,
): AsyncGenerator<Update, void, void> {
  using keeper = new ListKeeper(cache, target)
  let isFirst = true
  for await (const update of updates) {
    if (isFirst && update.type === 'stale') {
      const kept = await readKept(cache, target, maxAgeMs)
      if (kept) yield kept
    }
    isFirst = false
    keeper.take(update)
    yield update
  }
}

async function readKept(cache: ListCache, target: CacheTarget, maxAgeMs: number): Promise<Reset | null> {
  const list = await cache.read(target)
  if (!list) return null
  const ageMs = Math.max(0, Date.now() - list.seenAtMs)
  if (ageMs > maxAgeMs) return null
  return { type: 'reset', revision: list.revision, endpoints: list.endpoints, source: 'cache', ageMs }
}

/** Writes the list that a watch has come to: the first at once, changes a little later, and again now and then. */
class ListKeeper implements Disposable {
  private snapshot = EMPTY_SNAPSHOT
  private pending: Update[] = []
  private isLive = false
  private willWriteSoon = false
  private timer: NodeJS.Timeout | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly cache: ListCache,
    private readonly target: CacheTarget,
  ) {}

  take(update: Update): void {
    if (update.type === 'stale') {
      this.rest()
      return
    }
    this.pending.push(update)
    if (!this.isLive) this.write()
    else if (!this.willWriteSoon) this.writeIn(WRITE_PERIOD_MS)
    this.willWriteSoon = this.isLive
    this.isLive = true
  }

  [Symbol.dispose](): void {
    this.rest()
  }

  /** From now on nobody knows whether the list is right: what it was is written once more. */
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
    this.snapshot = apply(this.snapshot, ...this.pending)
    this.pending = []
    this.willWriteSoon = false
    const { revision } = this.snapshot
    const list = { revision, endpoints: endpointsOf(this.snapshot), seenAtMs: Date.now() }
    this.writing = this.writing.then(() => this.cache.write(this.target, list))
    this.writeIn(CONFIRM_PERIOD_MS)
  }
}
