import type { Measures } from '../stats/assertion.js'
import type { CallReport } from './report.js'

/** What a report's assertions are about. */
export function measuresOf({ calls, ok, endpoints, latency, elapsedMs }: CallReport): Measures {
  const { p50, p95, p99, max } = latency
  const picks = endpoints.reduce((sum, own) => sum + own.picks, 0)
  return {
    p50,
    p95,
    p99,
    max,
    errors: calls === 0 ? null : (calls - ok) / calls,
    skew:
      picks === 0 ? null : Math.max(...endpoints.map((own) => Math.abs(own.picks - own.expected) / picks)),
    rate: elapsedMs > 0 ? (calls * 1000) / elapsedMs : null,
  }
}
