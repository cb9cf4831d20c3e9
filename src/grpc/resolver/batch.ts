/** As long as items come closer together than this, more are likely: a deployment, say. */
const QUIET_MS = 20
/** A steady stream of items is delivered at least this often. */
const MOST_MS = 100

/**
 * Delivers an item at once after a quiet time, and collects those that follow: they are delivered together once
 * nothing came for 20 ms, or 100 ms after the last delivery. So a single change does not wait, and a burst makes
 * few deliveries.
 */
export class Batch<Item> {
  private items: Item[] = []
  /** Of the last delivery, or of the first item that waits. */
  private sinceMs = 0
  private timer: NodeJS.Timeout | null = null

  constructor(private readonly deliver: (items: readonly Item[]) => void) {}

  /** @param canWait whether the item waits for others also after a quiet time */
  add(item: Item, canWait = false): void {
    this.items.push(item)
    if (!this.timer && !canWait) {
      this.flush()
      return
    }
    if (!this.timer) this.sinceMs = performance.now()
    this.collect()
  }

  /** Delivers now what there is, if there is anything. */
  flush(): void {
    const { items } = this
    this.drop()
    if (items.length === 0) return
    this.sinceMs = performance.now()
    this.collect()
    this.deliver(items)
  }

  drop(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.items = []
  }

  private collect(): void {
    if (this.timer) clearTimeout(this.timer)
    const dueInMs = this.sinceMs + MOST_MS - performance.now()
    this.timer = setTimeout(() => this.flush(), Math.min(QUIET_MS, dueInMs))
  }
}
