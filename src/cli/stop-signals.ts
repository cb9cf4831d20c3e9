const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * SIGINT, SIGTERM and SIGHUP, or other signals. The first one ends a command in an orderly way, the second one
 * immediately. The third one ends what the command started after the second.
 */
export class StopSignals implements Disposable {
  private readonly first = new AbortController()
  private readonly second = new AbortController()
  private readonly third = new AbortController()
  private times = 0
  private onSignal: () => void = () => undefined
  private readonly listen = () => {
    this.times++
    const next = [this.first, this.second, this.third].find(({ signal }) => !signal.aborted)
    next?.abort()
    this.onSignal()
  }

  constructor(private readonly signals: readonly NodeJS.Signals[] = STOP_SIGNALS) {
    for (const signal of signals) process.on(signal, this.listen)
  }

  /** Aborted by the first signal. */
  get once(): AbortSignal {
    return this.first.signal
  }

  /** Aborted by the second signal. */
  get twice(): AbortSignal {
    return this.second.signal
  }

  /** Ends the command like the first signal. After a signal, it has no effect. */
  end(): void {
    if (!this.once.aborted) this.listen()
  }

  /** Aborted by the third signal. */
  get thrice(): AbortSignal {
    return this.third.signal
  }

  /** Calls `callback` for each signal, including those before this call. */
  onEach(callback: () => void): void {
    for (let time = 0; time < this.times; time++) callback()
    this.onSignal = callback
  }

  [Symbol.dispose](): void {
    for (const signal of this.signals) process.off(signal, this.listen)
  }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
