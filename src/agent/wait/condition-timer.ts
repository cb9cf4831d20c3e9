/** How long conditions have held without a break. */
export class ConditionTimer {
  private sinceMs: number | null = null
  private brokenTimes = 0

  /** @param forMs how long they must hold; 0 if it suffices that they hold once */
  constructor(
    readonly forMs: number,
    private readonly nowMs: () => number,
  ) {}

  get isRunning(): boolean {
    return this.sinceMs !== null
  }

  /** How many times conditions were found not to hold. A check that began before the last time is outdated. */
  get breaks(): number {
    return this.brokenTimes
  }

  get heldMs(): number {
    return this.sinceMs === null ? 0 : this.nowMs() - this.sinceMs
  }

  /** Time until the conditions have held for `forMs`; 0 from then on. */
  get leftMs(): number {
    return Math.max(0, this.forMs - this.heldMs)
  }

  /** To be called when the conditions hold: starts the timer, unless it runs. @returns whether it started it */
  begin(): boolean {
    if (this.isRunning) return false
    this.sinceMs = this.nowMs()
    return true
  }

  /**
   * To be called when the conditions do not hold, or etcd is unreachable: stops the timer.
   *
   * @returns how long the conditions held, in milliseconds; null if the timer was not running
   */
  end(): number | null {
    this.brokenTimes++
    if (!this.isRunning) return null
    const { heldMs } = this
    this.sinceMs = null
    return heldMs
  }
}
