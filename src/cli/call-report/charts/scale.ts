/** Maps a value to a coordinate. */
export type Scale = (value: number) => number

/** A mark of an axis. */
export interface Tick {
  readonly at: number
  readonly label: string
}

/** Values outside of `from` to `to` are mapped to the nearer end. */
export function linearScale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1
  return (value) => start + ((Math.min(to, Math.max(from, value)) - from) / span) * (end - start)
}

/** A logarithmic scale. `from` and `to` are above 0. */
export function logScale(from: number, to: number, start: number, end: number): Scale {
  const position = linearScale(Math.log10(from), Math.log10(to), start, end)
  return (value) => position(Math.log10(Math.max(from, value)))
}

/** The smallest step of 1, 2, 5 or 10 times a power of ten that divides 0 to `to` into at most `most` steps. */
export function niceStep(to: number, most: number): number {
  const least = Math.max(to, Number.MIN_VALUE * 1e10) / most
  const power = 10 ** Math.floor(Math.log10(least))
  const digit = [1, 2, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10
  return digit * power
}

/** Ticks from 0 to at least `to`, at multiples of `niceStep`. */
export function linearTicks(to: number, most: number, label: (value: number) => string): Tick[] {
  const step = niceStep(to, most)
  const count = Math.max(1, Math.ceil(to / step - 1e-9))
  return Array.from({ length: count + 1 }, (_, at) => ({ at: at * step, label: label(at * step) }))
}

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Usual steps of a time axis from one second on. */
const TIME_STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
].map((seconds) => seconds * SECOND_MS)

/** At most `most` ticks after the one at 0, and the unit of their labels. */
export function timeTicks(endMs: number, most: number): { readonly ticks: Tick[]; readonly unit: string } {
  const fine = niceStep(endMs, most)
  const step =
    fine < SECOND_MS
      ? fine
      : (TIME_STEPS_MS.find((ms) => Math.floor(endMs / ms) <= most) ?? niceStep(endMs, most))
  const [unitMs, unit] = timeUnit(endMs)
  const count = Math.floor(endMs / step + 1e-9)
  const digits = Math.max(0, Math.ceil(-Math.log10(step / unitMs) - 1e-9))
  const ticks = Array.from({ length: count + 1 }, (_, at) => {
    const value = (at * step) / unitMs
    return { at: at * step, label: unitMs === MINUTE_MS ? minutes(at * step) : value.toFixed(digits) }
  })
  return { ticks, unit }
}

function timeUnit(endMs: number): readonly [number, string] {
  if (endMs < 2 * SECOND_MS) return [1, 'ms']
  if (endMs <= 3 * MINUTE_MS) return [SECOND_MS, 's']
  return endMs <= 3 * HOUR_MS ? [MINUTE_MS, 'min:s'] : [HOUR_MS, 'h']
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / SECOND_MS)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Ticks at 1, 2 and 5 times each power of ten; over more than three decades, only at the powers. */
export function logTicks(least: number, most: number, label: (value: number) => string): Tick[] {
  const from = Math.floor(Math.log10(least) + 1e-9)
  const to = Math.ceil(Math.log10(most) - 1e-9)
  const digits = to - from > 3 ? [1] : [1, 2, 5]
  const values = Array.from({ length: Math.max(1, to - from) }, (_, at) => 10 ** (from + at)).flatMap(
    (power) => digits.map((digit) => digit * power),
  )
  const all = [...values, 10 ** Math.max(to, from + 1)]
  const first = all.findLastIndex((value) => value <= least * (1 + 1e-9))
  const last = all.findIndex((value) => value >= most * (1 - 1e-9))
  const shown = all.slice(Math.max(0, first), last < 0 ? undefined : Math.max(last, first + 1) + 1)
  return shown.map((at) => ({ at, label: label(at) }))
}
