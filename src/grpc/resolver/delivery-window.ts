/** Minimum time between the starts of two deliveries. */
export const MIN_MS = 20
/** Maximum time that a change waits, even if deliveries are slow. */
export const MAX_MS = 100
/** Maximum fraction of time that deliveries may take, unless MAX_MS requires earlier deliveries. */
const BUSY_FRACTION = 0.1

/**
 * Decides when changes are delivered. The first change after a time without changes is delivered at once. Changes that
 * follow are delivered together at the end of a window of 20 to 100 ms. The window grows with the time that a delivery
 * takes. So a single change does not wait, and a burst of changes needs few deliveries.
 */
export class DeliveryWindow {
  private windowMs = MIN_MS
  private deliveredAtMs = Number.NEGATIVE_INFINITY
  /** Time of the first pending change, on the clock of `performance.now()`, as all times here. */
  private waitingSinceMs = 0
  private dueAtMs = 0
  private timer: NodeJS.Timeout | null = null

  /** @param deliver delivers all changes since the previous delivery */
  constructor(private readonly deliver: () => void) {}

  /**
   * Schedules the delivery of a change, or delivers it now.
   *
   * @param waitMs how long the change waits for further changes, even if it is the first one; at most MAX_MS
   */
  open(waitMs = 0): void {
    const nowMs = performance.now()
    if (!this.timer) {
      this.waitingSinceMs = nowMs
      this.dueAtMs = this.deliveredAtMs + this.windowMs
    }
    if (waitMs > 0) {
      const latestMs = this.waitingSinceMs + MAX_MS
      this.dueAtMs = Math.max(this.dueAtMs, Math.min(nowMs + waitMs, latestMs))
    }
    if (this.dueAtMs <= nowMs) this.deliverNow()
    else if (!this.timer || waitMs > 0) {
      this.drop()
      this.timer = setTimeout(() => this.deliverNow(), Math.ceil(this.dueAtMs - nowMs))
    }
  }

  get isPending(): boolean {
    return this.timer !== null
  }

  /** Delivers pending changes now. */
  flush(): void {
    if (this.timer) this.deliverNow()
  }

  /** Discards pending changes. */
  drop(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
  }

  private deliverNow(): void {
    this.drop()
    const startMs = performance.now()
    this.deliver()
    this.deliveredAtMs = performance.now()
    const costMs = this.deliveredAtMs - startMs
    this.windowMs = Math.min(MAX_MS, Math.max(MIN_MS - costMs, costMs / BUSY_FRACTION))
  }
}
