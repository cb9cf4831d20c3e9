import { openLoop } from './open-loop.js'

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
