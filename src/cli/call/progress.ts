import type { Recorder } from '../../call/recorder.js'
import { count, duration } from '../terminal/units.js'

/** The progress of a run: number of calls, rate, latency and failures so far. */
export function progressLine({ all }: Recorder, elapsedMs: number): string {
  const { p50, p99 } = all.latency.summary()
  const perSecond = Math.round((all.calls * 1000) / elapsedMs)
  const failed = Object.entries(all.failures).map(([status, calls]) => `  ${calls} ${status}`)
  return `  ${count(all.calls, 'call')}  ${perSecond}/s  p50 ${duration(p50)}  p99 ${duration(p99)}${failed.join('')}  ${duration(elapsedMs)}`
}
