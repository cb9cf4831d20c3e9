/** How many calls are made, how many at a time, and when it is enough. */
export interface Load {
  /** Infinity where only the time is limited. */
  readonly calls: number
  /** Infinity where only the calls are counted. */
  readonly durationMs: number
  /** The most calls under way at a time. */
  readonly concurrency: number
  /**
   * Calls to be started in a second, come what may (open loop); null where each worker starts one as soon as
   * its last has ended (closed loop).
   */
  readonly perSecond: number | null
}

/**
 * Makes one call and tells when it has ended, never before it returns. A callback, because promises for each call
 * would cost a tenth of what the call does.
 *
 * @param intendedAtMs when it should have been started, on performance.now()'s clock
 */
export type MakeCall = (intendedAtMs: number, done: () => void) => void

/** Makes the calls of a load, and resolves when the last has ended; a signal ends the making of new ones. */
export function generate(load: Load, make: MakeCall, signal: AbortSignal): Promise<void> {
  return load.perSecond === null
    ? closedLoop(load, make, signal)
    : openLoop(load, load.perSecond, make, signal)
}

/** So many workers, each with one call at a time: a slow server is asked less. */
async function closedLoop(load: Load, make: MakeCall, signal: AbortSignal): Promise<void> {
  const endsAtMs = performance.now() + load.durationMs
  let started = 0
  const worker = () =>
    new Promise<void>((resolve) => {
      const next = () => {
        const nowMs = performance.now()
        if (started >= load.calls || nowMs >= endsAtMs || signal.aborted) resolve()
        else {
          started++
          make(nowMs, next)
        }
      }
      next()
    })
  await Promise.all(Array.from({ length: Math.min(load.concurrency, load.calls) }, worker))
}

/**
 * Calls at a steady rate, whether or not earlier ones have ended. A call that could not be started in time
 * still counts from when it should have been, so that a stall of the server is in the latencies of all whom
 * it kept waiting (Tene: coordinated omission).
 */
async function openLoop(load: Load, perSecond: number, make: MakeCall, signal: AbortSignal): Promise<void> {
  const startedAtMs = performance.now()
  const dueAtMs = (index: number) => startedAtMs + (index * 1000) / perSecond
  const most = Math.min(load.calls, Math.ceil((load.durationMs * perSecond) / 1000))
  let underWay = 0
  let wake = () => {}
  const ended = () => {
    // Who waits for room, or for the last.
    if (--underWay === load.concurrency - 1 || underWay === 0) wake()
  }
  signal.addEventListener('abort', () => wake(), { once: true })
  let index = 0
  while (!signal.aborted) {
    const nowMs = performance.now()
    for (; index < most && underWay < load.concurrency && dueAtMs(index) <= nowMs; index++) {
      underWay++
      make(dueAtMs(index), ended)
    }
    if (index >= most) break
    // A pause also where it is late: answers must be heard between calls.
    await new Promise<void>((resolve) => {
      const isFull = underWay >= load.concurrency
      const timer = isFull ? undefined : setTimeout(resolve, dueAtMs(index) - nowMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  while (underWay > 0) {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}
