import type { Reset, Stale, Update } from '../domain/discovery.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'

/**
 * Maximum number of changed keys that are queued for a subscriber. If there are more, it receives the whole list. A
 * resolver reads changes as they arrive, so only a subscriber that does not read reaches this limit. The endpoints of a
 * full queue take about a megabyte; the queues of one watch hold the same objects, not copies.
 */
export const MAX_PENDING_CHANGES = 1_024

/**
 * Opens the source of a watch. The reader of the source applies each update to `snapshot` before it requests the next.
 */
export type OpenWatch = (signal: AbortSignal, snapshot: LiveSnapshot) => AsyncIterable<Update>

/**
 * Watches by key. All subscribers of a key share one source and one snapshot: the first one opens the source, the
 * last one that leaves closes it, and a later one first gets the whole current list (and Stale, during an outage).
 * A slow subscriber does not delay the reading of the source.
 */
export class SharedWatches {
  private readonly watches = new Map<string, SharedWatch>()

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /**
   * Updates for one subscriber, which joins with its first `next()`. If more than {@link MAX_PENDING_CHANGES} are
   * queued, one Reset with the newest list replaces them. An error of the source is thrown after the queued updates;
   * the next subscriber opens the source again.
   *
   * @param open called for the first subscriber of the key
   */
  async *subscribe(key: string, open: OpenWatch, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    if (signal.aborted) return
    const running = this.watches.get(key)
    const watch = running ?? this.create(key)
    const subscriber = watch.join()
    // After `join`: a source that cannot be opened fails at once, and its error is for this subscriber.
    if (!running) void watch.read(open)
    const leave = () => watch.leave(subscriber)
    signal.addEventListener('abort', leave, { once: true })
    try {
      for (;;) {
        const update = await subscriber.next()
        if (update === null || signal.aborted) return
        yield update
      }
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }

  private create(key: string): SharedWatch {
    const watch = new SharedWatch(this.nowMs, () => {
      if (this.watches.get(key) === watch) this.watches.delete(key)
    })
    this.watches.set(key, watch)
    return watch
  }
}

class SharedWatch {
  private readonly subscribers = new Set<Subscriber>()
  private readonly closing = new AbortController()
  private readonly snapshot = new LiveSnapshot()
  private resetAtMs = 0
  private stale: Stale | null = null

  constructor(
    private readonly nowMs: () => number,
    private readonly onEnd: () => void,
  ) {}

  join(): Subscriber {
    const subscriber = new Subscriber(() => this.current())
    this.subscribers.add(subscriber)
    return subscriber
  }

  leave(subscriber: Subscriber): void {
    subscriber.end()
    this.subscribers.delete(subscriber)
    if (this.subscribers.size > 0) return
    this.onEnd()
    this.closing.abort()
  }

  /** Reads the source. Called once, after the first `join`. Never throws: subscribers get the error. */
  async read(open: OpenWatch): Promise<void> {
    let ending: Ending = {}
    try {
      for await (const update of open(this.closing.signal, this.snapshot)) {
        this.apply(update)
        for (const subscriber of this.subscribers) subscriber.add(update)
      }
    } catch (error) {
      ending = { error }
    }
    this.onEnd()
    for (const subscriber of this.subscribers) subscriber.end(ending)
  }

  private apply(update: Update): void {
    this.snapshot.apply(update)
    if (update.type === 'reset') this.resetAtMs = this.nowMs()
    if (update.type === 'stale') this.stale = update
    // A list from the cache does not end an outage.
    else if (update.type !== 'reset' || update.source === 'etcd') this.stale = null
  }

  /** The current state as updates; empty before the first update. */
  private current(): Update[] {
    const reset = this.snapshot.reset()
    return [...(reset ? [this.aged(reset)] : []), ...(this.stale ? [this.stale] : [])]
  }

  private aged(reset: Reset): Reset {
    if (reset.source === 'etcd') return reset
    return { ...reset, ageMs: reset.ageMs + this.nowMs() - this.resetAtMs }
  }
}

/** How a source ended: `error` is present after a failure. */
interface Ending {
  readonly error?: unknown
}

/** One subscriber's queue. */
class Subscriber {
  private updates: Update[] = []
  private changes = 0
  /** Whether the queue overflowed, so that the current list replaces it. */
  private isBehind = false
  private ending: Ending | null = null
  private wake: () => void = () => {}

  /** @param current the current state, for a subscriber that is new or behind */
  constructor(private readonly current: () => Update[]) {
    this.catchUp()
  }

  add(update: Update): void {
    if (this.ending || this.isBehind) return
    this.isBehind = this.updates.length > 0 && this.changes + sizeOf(update) > MAX_PENDING_CHANGES
    if (this.isBehind) this.updates = []
    else {
      this.updates.push(update)
      this.changes += sizeOf(update)
    }
    this.wake()
  }

  end(ending: Ending = {}): void {
    this.ending ??= ending
    this.wake()
  }

  /** The next update, once there is one; null at the end. One caller at a time. */
  async next(): Promise<Update | null> {
    while (this.updates.length === 0 && !this.isBehind) {
      if (this.ending && 'error' in this.ending) throw this.ending.error
      if (this.ending) return null
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    if (this.isBehind) this.catchUp()
    const update = this.updates.shift() ?? null
    if (update) this.changes -= sizeOf(update)
    return update
  }

  private catchUp(): void {
    this.isBehind = false
    this.updates = this.current()
    this.changes = this.updates.length
  }
}

/** Updates without changes count as one, so that they too are limited, for example if a link flaps. */
function sizeOf(update: Update): number {
  return update.type === 'changes' || update.type === 'resync' ? Math.max(1, update.changes.length) : 1
}
