import { Deadline } from '../../grpc/deadline.js'
import type { Reader } from '../../grpc/invoker.js'

/** Timers of Node count whole milliseconds: one that is due in less may come a millisecond late. */
const TIMER_MS = 1
/** The most of its time that a process may spend with looking at the clock. */
const MOST_POLLING = 0.2

/** Nobody ever notifies it. */
const CELL = new Int32Array(new SharedArrayBuffer(4))

/**
 * Waits for points in time, to far less than a millisecond: a call that starts late by the client's own doing
 * would be counted as slow. The last millisecond is slept away where nothing is waited for, and else, as long as
 * that takes no more than a fifth of a core, looked at the clock again and again, with answers heard in between.
 */
export class Pause {
  private readonly madeAtMs = performance.now()
  private polledMs = 0
  private timer: NodeJS.Timeout | undefined
  private resolve: () => void = () => undefined

  /** Ends the pause that is, if there is one. */
  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }

  /** Until `end` is called. */
  untilEnded(): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve
    })
  }

  /**
   * Until a time on performance.now()'s clock, or a moment before it: look again. Answers are heard meanwhile,
   * also where the time is over.
   *
   * @param isIdle no answer is waited for, so that the whole process may sleep for less than a millisecond
   */
  until(atMs: number, isIdle: boolean): Promise<void> {
    const nowMs = performance.now()
    const leftMs = atMs - nowMs
    const ended = this.untilEnded()
    if (leftMs >= TIMER_MS) this.timer = setTimeout(this.resolve, Math.floor(leftMs))
    else if (leftMs <= 0) setImmediate(this.resolve)
    else if (isIdle) setImmediate(sleep, atMs, this.resolve)
    else if (this.polledMs < MOST_POLLING * (nowMs - this.madeAtMs)) this.poll(nowMs)
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

/** For runs that print no line for each call. */
export const NO_READER: Reader = { isBehind: false, drained: () => Promise.resolve() }

/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1

/** Resolves when the reader is no longer behind, the time is over or the signal aborts. Never rejects. */
export async function untilRead(reader: Reader, leftMs: number, signal: AbortSignal): Promise<void> {
  using limit = new Deadline(Math.min(Math.max(0, leftMs), LONGEST_MS), signal)
  const over = new Promise((resolve) => limit.signal.addEventListener('abort', resolve))
  if (!limit.signal.aborted) await Promise.race([reader.drained(), over])
}
