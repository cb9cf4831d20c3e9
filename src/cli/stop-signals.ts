const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The terminal's way of ending a command: once to end it in order, twice to end it now. */
export class StopSignals implements Disposable {
  private readonly first = new AbortController()
  private readonly second = new AbortController()
  private readonly listen = () => (this.first.signal.aborted ? this.second : this.first).abort()

  constructor() {
    for (const signal of STOP_SIGNALS) process.on(signal, this.listen)
  }

  get once(): AbortSignal {
    return this.first.signal
  }

  get twice(): AbortSignal {
    return this.second.signal
  }

  [Symbol.dispose](): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.listen)
  }
}
