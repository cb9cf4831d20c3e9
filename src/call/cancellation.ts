import type { Invoker } from '../grpc/invoker.js'

/** How long calls under way may go on after an interruption. */
const GRACE_MS = 1_000
/** How long they may then take to be cancelled: a report must not wait for one that cannot be. */
const CUT_MS = 250

/** What ends a run early. */
export interface Stops {
  /** No new calls; those under way get a moment to end. */
  readonly once: AbortSignal
  /** Those under way are cancelled. */
  readonly twice: AbortSignal
}

/** A run's early end. Cancels what is under way some time after the first stop, or with the second. */
export class Cancellation implements Disposable {
  private readonly failed = new AbortController()
  /** Aborts when no more calls are to be made. */
  readonly signal: AbortSignal
  private timer: NodeJS.Timeout | undefined
  private giveUp = () => {}
  private refuse: (error: unknown) => void = () => {}
  private readonly early = new Promise<void>((resolve, reject) => {
    this.giveUp = resolve
    this.refuse = reject
  })
  private readonly wait = () => this.in(GRACE_MS, this.cut)
  private readonly cut = () => {
    this.invoker.cancelAll()
    this.in(CUT_MS, this.giveUp)
  }

  constructor(
    private readonly invoker: Pick<Invoker, 'cancelAll'>,
    private readonly stops: Stops,
  ) {
    this.signal = AbortSignal.any([stops.once, this.failed.signal])
    stops.once.addEventListener('abort', this.wait)
    stops.twice.addEventListener('abort', this.cut)
  }

  /** Ends the run with an error: whoever listens to it cannot go on. */
  readonly fail = (error: unknown): void => {
    this.refuse(error)
    this.failed.abort()
    // Not in the midst of what tells of a call's end.
    setImmediate(this.cut)
  }

  /** Waits for the calls as long as there is hope. @throws what `fail` was told */
  async orOf(calls: Promise<void>): Promise<void> {
    await Promise.race([calls, this.early])
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
