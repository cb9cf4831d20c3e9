import type { CallReport } from '../../call/report.js'

/** Calls due, started and not started: due = started + notStarted, started = calls + unfinished. */
export interface StartsDoc {
  readonly due: number
  readonly started: number
  readonly notStarted: number
  /** Neither ended nor cancelled at the time of the report; above 0 only after an interruption. */
  readonly unfinished: number
  /** The limit of outstanding calls. */
  readonly limit: number
  readonly maxLateMs: number
  /** How long no call was started because the lines of earlier ones were not read. */
  readonly readerMs: number
  /** The part that the rate saturated: client, backends, or the reader of the output; null for none. */
  readonly saturated: 'client' | 'backends' | 'reader' | null
  /** Calls that ended per second while due calls had to wait. Null without saturation. */
  readonly perSecond: number | null
  /** CPU time of the client while due calls had to wait, as a part of a core. */
  readonly clientCpu: number | null
  /** The part of the time in which the client's event loop was busy while due calls had to wait. */
  readonly clientLoop: number | null
}

export function startsDoc({ saturation, maxLateMs, readerMs, ...counts }: CallReport['starts']): StartsDoc {
  return {
    ...counts,
    maxLateMs: roundMs(maxLateMs),
    readerMs: roundMs(readerMs),
    saturated: saturation?.by ?? null,
    perSecond: saturation && roundMs(saturation.perSecond),
    clientCpu: saturation && roundMs(saturation.cpuFraction),
    clientLoop: saturation && roundMs(saturation.loopFraction),
  }
}

/** Milliseconds, or another number, to a thousandth. */
export function roundMs(number: number): number {
  return Math.round(number * 1000) / 1000
}
