import type { Palette } from '../terminal/color.js'
import { count, duration, grouped } from '../terminal/units.js'
import type { CallDoc, StartsDoc } from './document.js'

/**
 * Why a run did not keep its rate: how many calls were not started, or how late calls were started, and what was
 * saturated (client, backends or reader). Null if the rate was kept.
 */
export function rateNotKept({ starts }: CallDoc): string | null {
  const { due, notStarted, maxLateMs, saturated } = starts
  if (saturated === null && notStarted === 0) return null
  const what =
    notStarted > 0
      ? `${grouped(notStarted)} of ${grouped(due)} calls that were due were not started`
      : `calls were started up to ${duration(maxLateMs)} late`
  return saturated === null ? what : `${what}: ${saturation(starts)}`
}

/** Reports calls that were abandoned before they ended. The report does not count them. */
export function renderUnfinished({ starts }: CallDoc, palette: Palette): string[] {
  if (starts.unfinished === 0) return []
  return [
    palette.yellow(`! ${count(starts.unfinished, 'call')} under way did not end in time and are not counted`),
  ]
}

/** Shorter waits are not reported: they do not change the figures of a report. */
const LONG_WAIT_MS = 1_000

/** Reports that a slow reader of the output delayed calls. */
export function renderReaderWait({ starts: { readerMs, saturated } }: CallDoc, palette: Palette): string[] {
  if (readerMs < LONG_WAIT_MS || saturated === 'reader') return []
  return [
    palette.yellow(`! No call was started for ${duration(readerMs)}: the reader of the output was slow`),
  ]
}

/** In cores. A saturated client that used less CPU time than this was slowed down by other processes. */
const WHOLE_CORE = 0.8

function saturation({ saturated, perSecond, clientCpu, limit }: StartsDoc): string {
  const core = `${Math.round((clientCpu ?? 0) * 100)}% of a core`
  const rate = `${grouped(Math.round(perSecond ?? 0))}/s`
  if (saturated === 'client') {
    const scarce = (clientCpu ?? 0) < WHOLE_CORE ? ', which is all that the machine could give' : ''
    return `the client itself was saturated at ${rate}, ${core}${scarce}`
  }
  if (saturated === 'reader') return `the reader of the output was slow, and calls went on at ${rate}`
  return `the backends were saturated at ${rate}, with the client at ${core} and ${grouped(limit)} calls under way, the limit (-c)`
}
