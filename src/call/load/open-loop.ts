import type { Load, MakeCall } from './load.js'
import { Pause } from './pause.js'

/**
 * Calls at a steady rate, whether or not earlier ones have ended. A call that could not be started in time
 * still counts from when it should have been, so that a stall of the server is in the latencies of all whom
 * it kept waiting (Tene: coordinated omission). None is started early.
 */
export async function openLoop(
  load: Load,
  perSecond: number,
  make: MakeCall,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = performance.now()
  const dueAtMs = (index: number) => startedAtMs + (index * 1000) / perSecond
  const most = Math.min(load.calls, Math.ceil((load.durationMs * perSecond) / 1000))
  const pause = new Pause()
  const wake = () => pause.end()
  let underWay = 0
  const ended = () => {
    // Who waits for room, or for the last.
    if (--underWay === load.concurrency - 1 || underWay === 0) pause.end()
  }
  signal.addEventListener('abort', wake)
  let index = 0
  while (!signal.aborted) {
    const nowMs = performance.now()
    for (; index < most && underWay < load.concurrency && dueAtMs(index) <= nowMs; index++) {
      underWay++
      make(dueAtMs(index), ended)
    }
    if (index >= most) break
    if (underWay >= load.concurrency) await pause.untilEnded()
    // A pause also where it is late: answers must be heard between calls.
    else await pause.until(dueAtMs(index), underWay === 0)
  }
  while (underWay > 0) await pause.untilEnded()
  signal.removeEventListener('abort', wake)
}
