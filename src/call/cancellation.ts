import type { Invoker } from '../grpc/invoker.js'

/** How long outstanding calls may continue after an interruption. */
const GRACE_MS = 1_000
/** How long cancelled calls may take to end. After that, the report is made without them. */
const CUT_MS = 250

/** Signals that end a run early. */
export interface Stops {
  /** Stops new calls. Outstanding calls may finish within a grace period. */
  readonly once: AbortSignal
  /** Cancels outstanding calls at once. */
  readonly twice: AbortSignal
}

/** Ends a run early: cancels outstanding calls a second after the first stop signal, or with the second signal. */
export class Cancellation implements Disposable {
  private readonly failed = new AbortController()
  /** Aborts when no further calls may be started. */
  readonly signal: AbortSignal
  private timer: NodeJS.Timeout | undefined
  private endEarly = () => {}
  private failEarly: (error: unknown) => void = () => {}
  private readonly earlyEnd = new Promise<void>((resolve, reject) => {
    this.endEarly = resolve
    this.failEarly = reject
  })
  private readonly wait = () => this.in(GRACE_MS, this.cut)
  private readonly cut = () => {
    this.invoker.cancelAll()
    this.in(CUT_MS, this.endEarly)
  }

  constructor(
    private readonly invoker: Pick<Invoker, 'cancelAll'>,
    private readonly stops: Stops,
  ) {
    this.signal = AbortSignal.any([stops.once, this.failed.signal])
    stops.once.addEventListener('abort', this.wait)
    stops.twice.addEventListener('abort', this.cut)
  }

  /** Ends the run with an error, such as one thrown by a listener. */
  readonly fail = (error: unknown): void => {
    this.failEarly(error)
    this.failed.abort()
    // Deferred, because `fail` may run in the callback of a call that is ending.
    setImmediate(this.cut)
  }

  /** Waits for the calls, or for the early end of the run. @throws the error given to `fail` */
  async waitFor(calls: Promise<void>): Promise<void> {
    await Promise.race([calls, this.earlyEnd])
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    this.stops.once.removeEventListener('abort', this.wait)
    this.stops.twice.removeEventListener('abort', this.cut)
  }

  private in(ms: number, then: () => void): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(then, ms)
  }
}
