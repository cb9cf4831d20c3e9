import type { Reader } from '../../grpc/invoker.js'
import { type Load, type MakeCall, SLICE_MS } from './load.js'
import type { Pace } from './pace.js'
import { Pause, untilRead } from './pause.js'

/**
 * Grace for calls that are due at the end of the run: a pause of the garbage collector or a busy machine must not
 * prevent the last calls.
 */
const CATCH_UP_MS = 100

/** The longest wait for a free slot before the clock is checked again. */
const LONGEST_WAIT_MS = 1_000

/**
 * Starts calls at a steady rate, whether or not earlier ones have ended. The latency of a call that could not be
 * started in time counts from when it was due, so that a stall of the server shows in the latencies of all calls it
 * delayed (Tene: coordinated omission). Calls are never started early.
 *
 * Above the capacity of the client or the backends, due calls wait. They are started in slices, so that replies,
 * timers and signals are served in between; at most `load.concurrency` are outstanding, and none is started while the
 * reader is behind. Calls that still wait when the time is over are not started: `pace` counts them.
 */
export async function openLoop(
  load: Load,
  perSecond: number,
  make: MakeCall,
  signal: AbortSignal,
  pace: Pace,
  reader: Reader,
): Promise<void> {
  const startedAtMs = performance.now()
  const dueAtMs = (index: number) => startedAtMs + (index * 1000) / perSecond
  const most = Math.min(load.calls, Math.ceil((load.durationMs * perSecond) / 1000))
  const endsAtMs = startedAtMs + load.durationMs + CATCH_UP_MS
  const pause = new Pause()
  const wake = () => pause.end()
  const ended = () => {
    pace.end()
    // Wakes a call that waits for a free slot, or the end of the run, which waits for the last call.
    if (pace.underWay === load.concurrency - 1 || pace.underWay === 0) pause.end()
  }
  signal.addEventListener('abort', wake)
  let index = 0
  let nowMs = startedAtMs
  const hasRoom = () => pace.underWay < load.concurrency && !reader.isBehind
  const isDue = () => index < most && dueAtMs(index) <= nowMs
  while (index < most && nowMs < endsAtMs && !signal.aborted) {
    const sliceEndsAtMs = nowMs + SLICE_MS
    for (; isDue() && hasRoom() && nowMs < sliceEndsAtMs && !signal.aborted; index++) {
      pace.start(nowMs - dueAtMs(index))
      make(dueAtMs(index), ended)
      nowMs = performance.now()
    }
    pace.waitsFor(isDue() ? (reader.isBehind ? 'reader' : 'turn') : null)
    if (index >= most || signal.aborted) break
    // Pauses even when it is late: replies must be read between calls.
    if (reader.isBehind) await untilRead(reader, endsAtMs - nowMs, signal)
    else if (hasRoom()) await pause.until(dueAtMs(index), pace.underWay === 0)
    else await pause.until(Math.min(endsAtMs, nowMs + LONGEST_WAIT_MS), false)
    if (!signal.aborted) nowMs = performance.now()
  }
  pace.due = Math.max(index, Math.min(most, Math.floor(((nowMs - startedAtMs) * perSecond) / 1000) + 1))
  pace.waitsFor(null)
  while (pace.underWay > 0) await pause.untilEnded()
  signal.removeEventListener('abort', wake)
}
