import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'

interface Timer {
  readonly run: () => void
  atMs: number
  /** Of an interval; null for a timer that fires once. */
  readonly everyMs: number | null
  isCleared: boolean
}

/** Turns of the event loop after each step: code under simulation waits for up to three. */
const TURNS = 5

const realImmediate = setImmediate

/**
 * Time of a simulation. `install` puts it in the place of this process's timers and clocks, so that code runs unchanged;
 * `advance` then runs what is due, in order, as fast as it goes.
 */
export class VirtualClock {
  nowMs = 0
  /** By the millisecond in which they are due. */
  private readonly due = new Map<number, Timer[]>()

  install(): void {
    const set =
      (everyMs: number | null) =>
      (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
        this.add(() => callback(...args), delayMs, everyMs ?? null)
    const clear = (timer?: Timer) => {
      if (timer) timer.isCleared = true
    }
    const every = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
      this.add(() => callback(...args), delayMs, delayMs)
    Object.assign(globalThis, {
      setTimeout: set(null),
      setInterval: every,
      clearTimeout: clear,
      clearInterval: clear,
    })
    Object.assign(Date, { now: () => this.nowMs })
    Object.defineProperty(performance, 'now', { value: () => this.nowMs })
    Object.assign(timersPromises, { setTimeout: this.delay })
    syncBuiltinESMExports()
  }

  /** Runs a callback at its time. */
  add(run: () => void, delayMs: number, everyMs: number | null = null): Timer & { unref(): void } {
    const timer = { run, atMs: 0, everyMs, isCleared: false, unref: () => timer }
    this.put(timer, delayMs)
    return timer
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs++
      const timers = this.due.get(this.nowMs)
      if (!timers) continue
      this.due.delete(this.nowMs)
      for (const timer of timers) {
        if (timer.isCleared) continue
        if (timer.everyMs !== null) this.put(timer, timer.everyMs)
        timer.run()
      }
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => realImmediate(resolve))
    }
  }

  private put(timer: Timer, delayMs: number): void {
    timer.atMs = this.nowMs + Math.max(1, Math.round(delayMs))
    const timers = this.due.get(timer.atMs)
    if (timers) timers.push(timer)
    else this.due.set(timer.atMs, [timer])
  }

  /** As setTimeout of node:timers/promises. */
  private readonly delay = (ms: number, value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const timer = this.add(() => {
        signal?.removeEventListener('abort', stop)
        resolve(value)
      }, ms)
      const stop = () => {
        timer.isCleared = true
        reject(signal?.reason)
      }
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    })
}
