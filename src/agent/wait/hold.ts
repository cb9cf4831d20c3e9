/** How long conditions have held without a break. */
export class Hold {
  private sinceMs: number | null = null
  private brokenTimes = 0

  /** @param forMs how long they have to hold; 0 is met at once */
  constructor(
    readonly forMs: number,
    private readonly nowMs: () => number,
  ) {}

  get isRunning(): boolean {
    return this.sinceMs !== null
  }

  /** How often a hold has ended: a check that began before such an end proves nothing. */
  get breaks(): number {
    return this.brokenTimes
  }

  get heldMs(): number {
    return this.sinceMs === null ? 0 : this.nowMs() - this.sinceMs
  }

  /** Until the hold is long enough; 0 from then on. */
  get leftMs(): number {
    return Math.max(0, this.forMs - this.heldMs)
  }

  /** The conditions hold: the first time begins the hold. @returns whether it has begun now */
  begin(): boolean {
    if (this.isRunning) return false
    this.sinceMs = this.nowMs()
    return true
  }

  /** The conditions do not hold, or etcd is out of reach. @returns how long they held before; null if they did not */
  end(): number | null {
    this.brokenTimes++
    if (!this.isRunning) return null
    const { heldMs } = this
    this.sinceMs = null
    return heldMs
  }
}
