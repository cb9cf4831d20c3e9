/**
 * Counts an endpoint's outstanding calls. A pick counts at once: otherwise, a hundred simultaneous calls would find all
 * endpoints idle. It counts only for this turn of the event loop, because grpc-js does not report a pick without a call
 * (cancelled, or the connection was lost). By then the call has usually started, and grpc-js reliably reports its end.
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
