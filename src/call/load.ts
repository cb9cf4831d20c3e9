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
 * Makes one call and settles when it has ended; never rejects.
 *
 * @param intendedAtMs when it should have been started, on performance.now()'s clock
 */
export type MakeCall = (intendedAtMs: number) => Promise<void>

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
  const worker = async () => {
    for (;;) {
      const nowMs = performance.now()
      if (started >= load.calls || nowMs >= endsAtMs || signal.aborted) return
      started++
      await make(nowMs)
    }
  }
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
  const underWay = new Set<Promise<void>>()
  let wake = () => {}
  signal.addEventListener('abort', () => wake(), { once: true })
  let index = 0
  while (!signal.aborted) {
    const nowMs = performance.now()
    for (; index < most && underWay.size < load.concurrency && dueAtMs(index) <= nowMs; index++) {
      const call = make(dueAtMs(index)).then(() => {
        underWay.delete(call)
        if (underWay.size === load.concurrency - 1) wake()
      })
      underWay.add(call)
    }
    if (index >= most) break
    // A pause also where it is late: answers must be heard between calls.
    await new Promise<void>((resolve) => {
      const isFull = underWay.size >= load.concurrency
      const timer = isFull ? undefined : setTimeout(resolve, dueAtMs(index) - nowMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  await Promise.all(underWay)
}
