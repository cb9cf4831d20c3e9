import { onAbort } from '../domain/abortable.js'
import { MAX_TIMER_MS } from '../domain/duration.js'

/**
 * A signal that aborts after a time, or with another signal. Dispose of it when the work has ended. It replaces
 * `AbortSignal.timeout` within `AbortSignal.any`, which may be garbage-collected and then never fires
 * (nodejs/node#57736): here the timer and the listener keep the signal in memory.
 */
export class Deadline implements Disposable {
  private readonly controller = new AbortController()
  private readonly abort = () => this.controller.abort()
  private readonly timer: NodeJS.Timeout
  private readonly forgetParent: (() => void) | undefined

  /**
   * @param ms at most MAX_TIMER_MS; a longer time is reduced to that
   * @param parent also aborts this signal
   */
  constructor(ms: number, parent?: AbortSignal) {
    this.timer = setTimeout(this.abort, Math.min(ms, MAX_TIMER_MS))
    if (parent?.aborted) this.abort()
    this.forgetParent = parent && onAbort(parent, this.abort)
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    this.forgetParent?.()
  }
}
