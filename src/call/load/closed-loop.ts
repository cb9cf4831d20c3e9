import { setImmediate as turn } from 'node:timers/promises'
import type { Reader } from '../../grpc/invoker.js'
import { type Load, type MakeCall, SLICE_MS } from './load.js'
import type { Pace } from './pace.js'
import { untilRead } from './pause.js'

/**
 * Closed loop: `concurrency` workers, one call each, so a slow server receives fewer calls. Workers are started in
 * slices, so that replies, timers and signals are served in between. While the reader is behind, no call is started.
 */
export async function closedLoop(
  load: Load,
  make: MakeCall,
  signal: AbortSignal,
  pace: Pace,
  reader: Reader,
): Promise<void> {
  const endsAtMs = performance.now() + load.durationMs
  const isOver = (nowMs: number) => pace.due >= load.calls || nowMs >= endsAtMs || signal.aborted
  const worker = () =>
    new Promise<void>((resolve) => {
      const next = () => {
        const nowMs = performance.now()
        if (isOver(nowMs)) return resolve()
        if (reader.isBehind) {
          pace.waitsFor('reader')
          void untilRead(reader, endsAtMs - nowMs, signal).then(next)
          return
        }
        pace.waitsFor(null)
        pace.due++
        pace.start(0)
        make(nowMs, ended)
      }
      const ended = () => {
        pace.end()
        next()
      }
      next()
    })
  const workers: Promise<void>[] = []
  while (workers.length < load.concurrency && !isOver(performance.now())) {
    const sliceEndsAtMs = performance.now() + SLICE_MS
    while (workers.length < load.concurrency && performance.now() < sliceEndsAtMs) workers.push(worker())
    await turn()
  }
  await Promise.all(workers)
  pace.waitsFor(null)
}
