import { onAbort } from '../domain/abortable.js'
import { MAX_TIMER_MS } from '../domain/duration.js'

/**
 * A signal that aborts after a time, or when its parent aborts. Dispose of it when the work has ended. It replaces
 * `AbortSignal.timeout` in `AbortSignal.any`: that signal may be garbage-collected and then never fires
 * (nodejs/node#57736). Here the timer and the listener keep the signal in memory.
 */
export class Deadline implements Disposable {
  private readonly controller = new AbortController()
  private readonly abort = () => this.controller.abort()
  private readonly timer: NodeJS.Timeout
  private readonly forgetParent: (() => void) | undefined

  /**
   * @param ms the time in milliseconds; a time above MAX_TIMER_MS is reduced to MAX_TIMER_MS
   * @param parent a signal that also aborts this one
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
