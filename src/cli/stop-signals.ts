const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The terminal's way of ending a command: once to end it in order, twice to end it now. */
export class StopSignals implements Disposable {
  private readonly first = new AbortController()
  private readonly second = new AbortController()
  private times = 0
  private tell: () => void = () => undefined
  private readonly listen = () => {
    this.times++
    ;(this.first.signal.aborted ? this.second : this.first).abort()
    this.tell()
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

  /** Calls back for each signal that came, those before this call included. */
  onEach(callback: () => void): void {
    for (let told = 0; told < this.times; told++) callback()
    this.tell = callback
  }

  [Symbol.dispose](): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.listen)
  }
}
