const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** SIGINT, SIGTERM and SIGHUP: the first ends a command in order, the second at once. */
export class StopSignals implements Disposable {
  private readonly first = new AbortController()
  private readonly second = new AbortController()
  private times = 0
  private onSignal: () => void = () => undefined
  private readonly listen = () => {
    this.times++
    ;(this.first.signal.aborted ? this.second : this.first).abort()
    this.onSignal()
  }

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, this.listen)
  }

  get once(): AbortSignal {
    return this.first.signal
  }

  get twice(): AbortSignal {
    return this.second.signal
  }

  /** Calls back for each signal, including those before this call. */
  onEach(callback: () => void): void {
    for (let time = 0; time < this.times; time++) callback()
    this.onSignal = callback
  }

  [Symbol.dispose](): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.listen)
  }
}
