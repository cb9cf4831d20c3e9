/** Changes that follow a delivery this closely are delivered together. */
const LEAST_MS = 20
/** A steady stream of changes is delivered at least this often, whatever a delivery costs. */
const MOST_MS = 100
/** Deliveries take at most this part of the time, up to MOST_MS between them: many channels, long lists. */
const BUSY_FRACTION = 0.1

/**
 * Decides when changes are delivered: the first after a quiet time at once, those that follow together at the end of
 * a window of 20 to 100 ms, which grows with the time that a delivery takes. So a single change does not wait, and
 * a burst makes few deliveries.
 */
export class DeliveryWindow {
  private windowMs = LEAST_MS
  private deliveredAtMs = Number.NEGATIVE_INFINITY
  /** When the first change that waits was made known. */
  private waitingSinceMs = 0
  private dueAtMs = 0
  private timer: NodeJS.Timeout | null = null

  /** @param deliver called with everything that was changed since its last call */
  constructor(private readonly deliver: () => void) {}

  /**
   * There is something to deliver.
   *
   * @param canWait whether it waits at least 20 ms for what may follow, also after a quiet time
   */
  open(canWait = false): void {
    const nowMs = performance.now()
    if (!this.timer) {
      this.waitingSinceMs = nowMs
      this.dueAtMs = this.deliveredAtMs + this.windowMs
    }
    if (canWait) {
      const latestMs = this.waitingSinceMs + MOST_MS
      this.dueAtMs = Math.max(this.dueAtMs, Math.min(nowMs + LEAST_MS, latestMs))
    }
    if (this.dueAtMs <= nowMs) this.deliverNow()
    else if (!this.timer || canWait) {
      this.drop()
      this.timer = setTimeout(() => this.deliverNow(), Math.ceil(this.dueAtMs - nowMs))
    }
  }

  /** Delivers now if anything waits. */
  flush(): void {
    if (this.timer) this.deliverNow()
  }

  /** What waits is not delivered. */
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
    this.windowMs = Math.min(MOST_MS, Math.max(LEAST_MS, costMs / BUSY_FRACTION))
  }
}
