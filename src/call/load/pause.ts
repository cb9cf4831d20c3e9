import { Deadline } from '../../grpc/deadline.js'
import type { Reader } from '../../grpc/invoker.js'

/** The shortest delay of Node's timers: for a shorter wait, a timer would fire up to a millisecond late. */
const TIMER_MS = 1
/** The maximum part of its time that the process may spend polling the clock. */
const MAX_POLLING = 0.2

/** Used only for timed waits: it is never notified. */
const CELL = new Int32Array(new SharedArrayBuffer(4))

/**
 * Waits for points in time with an error far below a millisecond, because a call that the client starts late would be
 * counted as slow. If no reply is outstanding, the process sleeps for the last millisecond. Otherwise it polls the clock,
 * for at most a fifth of its time, and reads replies in between.
 */
export class Pause {
  private readonly madeAtMs = performance.now()
  private polledMs = 0
  private timer: NodeJS.Timeout | undefined
  private resolve: () => void = () => undefined

  /** Ends the current pause, if any. */
  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }

  /** Resolves when `end` is called. */
  untilEnded(): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve
    })
  }

  /**
   * Waits until a time on performance.now()'s clock. May resolve a moment early, so the caller must check the time.
   * Replies are read before it resolves, even if the time has passed already.
   *
   * @param isIdle no reply is outstanding, so the whole process may sleep for less than a millisecond
   */
  until(atMs: number, isIdle: boolean): Promise<void> {
    const nowMs = performance.now()
    const leftMs = atMs - nowMs
    const ended = this.untilEnded()
    if (leftMs >= TIMER_MS) this.timer = setTimeout(this.resolve, Math.floor(leftMs))
    else if (leftMs <= 0) setImmediate(this.resolve)
    else if (isIdle) setImmediate(sleep, atMs, this.resolve)
    else if (this.polledMs < MAX_POLLING * (nowMs - this.madeAtMs)) this.poll(nowMs)
    else this.timer = setTimeout(this.resolve, TIMER_MS)
    return ended
  }

  private poll(fromMs: number): void {
    const { resolve } = this
    setImmediate(() => {
      this.polledMs += performance.now() - fromMs
      resolve()
    })
  }
}

function sleep(untilMs: number, then: () => void): void {
  Atomics.wait(CELL, 0, 0, Math.max(0, untilMs - performance.now()))
  then()
}

/** The reader for runs that do not print a line for each call: never behind. */
export const NO_READER: Reader = { isBehind: false, drained: () => Promise.resolve() }

/** The longest delay of a timer. */
const LONGEST_MS = 2 ** 31 - 1

/** Resolves when the reader is no longer behind, `leftMs` have passed, or the signal aborts. Never rejects. */
export async function untilRead(reader: Reader, leftMs: number, signal: AbortSignal): Promise<void> {
  using limit = new Deadline(Math.min(Math.max(0, leftMs), LONGEST_MS), signal)
  const over = new Promise((resolve) => limit.signal.addEventListener('abort', resolve))
  if (!limit.signal.aborted) await Promise.race([reader.drained(), over])
}
