export const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** The longest delay of a timer in Node, in milliseconds; a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** The delay in milliseconds; undefined if a timer cannot have it. */
export function timerDelay(ms: number | undefined): number | undefined {
  return ms !== undefined && ms <= MAX_TIMER_MS ? ms : undefined
}

/** The expectation in errors about a duration above MAX_TIMER_MS. */
export const MAX_TIMER = 'at most 596h'

/** The expectation in errors about an invalid duration. */
export const DURATION = 'a duration such as 5s or 2m'

/**
 * The expectation in an error about an invalid duration: the range if the text is a duration, otherwise the form.
 *
 * @param least the minimum that the caller accepts
 */
export function expectedDuration(text: string, least: 'zero' | 'above zero' = 'above zero'): string {
  if (!/^[-\u2212]?\d+(?:\.\d+)?(ms|s|m|h)?$/.test(text)) return DURATION
  if (/^\d*[1-9]/.test(text)) return MAX_TIMER
  return least === 'zero' ? 'a duration of 0 or more, such as 5s' : 'a duration above 0, such as 5s or 2m'
}

/**
 * Reads `500ms`, `5s`, `1m`, `2h`, or a bare number of seconds.
 *
 * @returns milliseconds; undefined for any other text, and for 0
 */
export function readDurationMs(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  // Rounded to the nanosecond: in floating point, 2.2 h is not a whole number of seconds.
  const ms = Math.round(Number(amount) * (MS_PER_UNIT[unit] ?? Number.NaN) * 1e6) / 1e6
  return ms > 0 && Number.isFinite(ms) ? ms : undefined
}
