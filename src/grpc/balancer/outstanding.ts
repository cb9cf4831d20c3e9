/**
 * Counts the outstanding calls of an endpoint.
 *
 * A pick counts before its call starts: otherwise, a hundred simultaneous picks would all see endpoints without calls.
 * A pick counts only until the end of this turn of the event loop, because grpc-js does not report that a picked call
 * never starts (it was cancelled, or the connection was lost). By then the call has usually started and is counted
 * itself: grpc-js reliably reports the end of a started call.
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
