/**
 * Counts an endpoint's outstanding calls. A pick counts at once, or a hundred calls made in one go would all
 * find everyone idle; but a pick may come to nothing without a word (a call cancelled meanwhile, a connection
 * lost), so it counts for this turn of the event loop only. By the end of it the call has usually started,
 * and from then on grpc-js tells reliably when it ends.
 */
export class OutstandingCalls {
  private picked = 0
  private running = 0
  /** Called after every change of `count`. */
  onChange: () => void = () => {}

  get count(): number {
    return this.picked + this.running
  }

  pick(): void {
    if (this.picked++ === 0) setImmediate(this.forgetPicks)
    this.onChange()
  }

  readonly onCallStarted = (): void => {
    this.running++
    if (this.picked > 0) this.picked--
    else this.onChange()
  }

  readonly onCallEnded = (): void => {
    this.running--
    this.onChange()
  }

  private readonly forgetPicks = (): void => {
    if (this.picked === 0) return
    this.picked = 0
    this.onChange()
  }
}
