/** Least time between the starts of two deliveries. */
export const MIN_MS = 20
/** Maximum time that a change waits, even if deliveries are slow. */
export const MAX_MS = 100
/** Fraction of the time that deliveries may take. The limit MAX_MS has precedence. */
const BUSY_FRACTION = 0.1

/**
 * Decides when changes are delivered. The first change after a quiet time is delivered at once; the following ones are
 * delivered together at the end of a window of 20 to 100 ms, which grows with the time that a delivery takes. So a
 * single change does not wait, and a burst of changes needs few deliveries.
 */
export class DeliveryWindow {
  private windowMs = MIN_MS
  private deliveredAtMs = Number.NEGATIVE_INFINITY
  /** Time of the first pending change. */
  private waitingSinceMs = 0
  private dueAtMs = 0
  private timer: NodeJS.Timeout | null = null

  /** @param deliver delivers all changes since its last call */
  constructor(private readonly deliver: () => void) {}

  /**
   * Reports a change to deliver.
   *
   * @param waitMs how long the change waits for others, also after a quiet time
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
