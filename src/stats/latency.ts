/** Latencies in milliseconds. A percentile is null where too few calls were made to speak of it. */
export interface LatencySummary {
  readonly n: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
}

/** A percentile needs at least one call beyond it on average: 2 calls for p50, 20 for p95, 100 for p99. */
export function summarizeLatencies(latenciesMs: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(latenciesMs).sort()
  const percentile = (percent: number): number | null =>
    sorted.length * (100 - percent) < 100
      ? null
      : round(sorted[Math.ceil((sorted.length * percent) / 100) - 1])
  return {
    n: sorted.length,
    ...{ p50: percentile(50), p95: percentile(95), p99: percentile(99) },
    max: round(sorted.at(-1)),
  }
}

/** To the microsecond: clocks say no more. */
function round(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 1000) / 1000
}
