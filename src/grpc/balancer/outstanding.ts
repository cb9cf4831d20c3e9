/**
 * Counts an endpoint's outstanding calls. A pick counts at once, since a hundred simultaneous calls would otherwise
 * find all endpoints idle; but a pick may come to nothing without notice (a cancelled call, a lost connection), so it
 * counts only for this turn of the event loop. By its end the call has usually started, and from then on grpc-js
 * reliably reports its end.
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
