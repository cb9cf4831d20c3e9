/** 0.0714 as `7.1%`. */
export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)}%`
}

/** Milliseconds as `1.1ms`, or as `1.2s` from a second on; `–` for null. */
export function duration(ms: number | null): string {
  if (ms === null) return '–'
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)}s`
  return ms >= 100 ? `${Math.round(ms)}ms` : `${ms.toFixed(1)}ms`
}

/** A configured time, in seconds: `5s`, `0.5s`. */
export function seconds(ms: number): string {
  return `${ms / 1000}s`
}

/** `1 endpoint`, `2 endpoints`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/**
 * A whole number as `12,345`. `toLocaleString` takes 12 ms the first time, which every start of a command would pay.
 */
export function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

const MS_PER_UNIT = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const

/** An age, in its largest whole unit: `45s`, `12m`, `3h`, `2d`. */
export function age(ms: number): string {
  for (const [unit, length] of Object.entries(MS_PER_UNIT)) {
    if (ms >= length) return `${Math.floor(ms / length)}${unit}`
  }
  return `${Math.floor(ms / 1000)}s`
}

/** A clause as the start of a sentence. */
export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
