import { DiscoError } from '../../domain/errors.js'

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Reads `500ms`, `5s`, `1m`, `2h`, or a bare number of seconds. @throws DiscoError USAGE */
export function parseDurationMs(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,15}(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  // To the nanosecond: 2.2 h would be a whole number of seconds but for the floating point.
  const ms = Math.round(Number(amount) * (MS_PER_UNIT[unit] ?? Number.NaN) * 1e6) / 1e6
  if (ms > 0 && Number.isFinite(ms)) return ms
  throw new DiscoError('USAGE', `"${text}" is not a duration`, {
    suggestions: ['Want a number above 0 with ms, s, m or h, such as 500ms or 5s'],
  })
}

/** A longer time than this is none at all to a timer: it would be over at once. */
const MOST_WAIT_MS = 2 ** 31 - 1

/** A time that is waited for: as above, or 0. @throws DiscoError USAGE */
export function parseWaitMs(text: string): number {
  return /^0(ms|s|m|h)?$/.test(text) ? 0 : parseTimeMs(text)
}

/** A time that is waited for, above 0. @throws DiscoError USAGE */
export function parseTimeMs(text: string): number {
  const ms = parseDurationMs(text)
  if (ms <= MOST_WAIT_MS) return ms
  throw new DiscoError('USAGE', `${text} is too long to wait`, { suggestions: ['The most is 596h'] })
}

/** The longest lease that etcd grants, in seconds. */
const MAX_TTL_SECONDS = 9_000_000_000

/** A lease's time to live: whole seconds from 1 up to what etcd grants. @throws DiscoError USAGE */
export function parseTtlSeconds(text: string): number {
  const seconds = /^[\d.eE+]+$/.test(text) ? Number(text) : parseDurationMs(text) / 1000
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_TTL_SECONDS) return seconds
  throw new DiscoError('USAGE', `A TTL of "${text}" cannot be granted`, {
    suggestions: [`Want whole seconds from 1 to ${MAX_TTL_SECONDS}, such as --ttl 10`],
  })
}
