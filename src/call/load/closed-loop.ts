import type { Load, MakeCall } from './load.js'

/** So many workers, each with one call at a time: a slow server is asked less. */
export async function closedLoop(load: Load, make: MakeCall, signal: AbortSignal): Promise<void> {
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
