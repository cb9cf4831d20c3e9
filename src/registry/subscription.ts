import type { Reset, Update } from '../domain/discovery.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'

/**
 * The most changed keys that wait for a subscriber: beyond them it gets the list anew. A resolver takes changes
 * as they come and acts every 100 ms at the latest, which at 10,000 changes a second is 1,000 of them. So many
 * decoded endpoints are about a megabyte for each subscriber.
 */
export const MAX_PENDING_CHANGES = 1_024

/**
 * Updates of a source that is read as fast as it comes, for one subscriber that reads as it likes. What waits is
 * bounded: beyond {@link MAX_PENDING_CHANGES} it is replaced by one Reset from the snapshot, as of the newest
 * revision, source `etcd`. (A sole reader that should slow down etcd instead reads the source itself.)
 *
 * Starts with the first request. Throws what the source throws, after what came before that.
 *
 * @param open makes the source; its signal also aborts when the subscriber leaves
 */
export async function* subscribe(
  open: (signal: AbortSignal) => AsyncIterable<Update>,
  signal: AbortSignal,
): AsyncGenerator<Update, void, void> {
  const left = new AbortController()
  const pending = new PendingUpdates()
  void feed(pending, open(AbortSignal.any([signal, left.signal])))
  try {
    for (;;) {
      const update = await pending.next()
      if (update === null || signal.aborted) return
      yield update
    }
  } finally {
    left.abort()
  }
}

/** Never throws: the subscriber gets the error. */
async function feed(pending: PendingUpdates, source: AsyncIterable<Update>): Promise<void> {
  const snapshot = new LiveSnapshot()
  try {
    for await (const update of source) {
      snapshot.apply(update)
      pending.add(update, () => snapshot.reset())
    }
    pending.end()
  } catch (error) {
    pending.end({ error })
  }
}

/** One subscriber's queue. */
class PendingUpdates {
  private updates: Update[] = []
  private changes = 0
  private ending: { readonly error?: unknown } | null = null
  private wake: () => void = () => {}

  /** @param whole the list after this update; asked for where the queue is full */
  add(update: Update, whole: () => Reset | null): void {
    const isFull = this.updates.length > 0 && this.changes + sizeOf(update) > MAX_PENDING_CHANGES
    const reset = isFull ? whole() : null
    if (reset) {
      // That etcd is out of reach is true of the list as well.
      this.updates = update.type === 'stale' ? [reset, update] : [reset]
      this.changes = this.updates.length
    } else {
      this.updates.push(update)
      this.changes += sizeOf(update)
    }
    this.wake()
  }

  end(how: { readonly error?: unknown } = {}): void {
    this.ending = how
    this.wake()
  }

  /** The next update, as soon as there is one; null at the end. One caller at a time. */
  async next(): Promise<Update | null> {
    while (this.updates.length === 0) {
      if (this.ending && 'error' in this.ending) throw this.ending.error
      if (this.ending) return null
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    const update = this.updates.shift() ?? null
    if (update) this.changes -= sizeOf(update)
    return update
  }
}

/** Updates without changes count as one, lest a link that comes and goes fills the queue with them. */
function sizeOf(update: Update): number {
  return update.type === 'changes' || update.type === 'resync' ? Math.max(1, update.changes.length) : 1
}
