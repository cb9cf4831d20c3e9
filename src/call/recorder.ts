import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import { LatencyHistogram } from '../stats/latency.js'
import type { CallResult } from './report.js'
import type { RunSeries } from './run-series.js'

/** gRPC status code OK. */
const OK = 0

/** Latency, errors and status counts of a group of calls, in constant memory. */
export class CallStats {
  readonly latency = new LatencyHistogram()
  readonly failures: Record<string, number> = {}
  calls = 0
  errors = 0

  count({ status, statusCode, latencyMs }: CallResult): void {
    this.calls++
    this.latency.record(latencyMs)
    if (statusCode === OK) return
    this.errors++
    this.failures[status] = (this.failures[status] ?? 0) + 1
  }

  add(other: CallStats): void {
    this.calls += other.calls
    this.errors += other.errors
    this.latency.add(other.latency)
    for (const [status, calls] of Object.entries(other.failures)) {
      this.failures[status] = (this.failures[status] ?? 0) + calls
    }
  }
}

/** Results of a run: totals, totals by endpoint, the last call and the first failed call. */
export class Recorder {
  readonly all = new CallStats()
  readonly byEndpoint = new Map<EndpointId, CallStats>()
  private readonly statsOf = new WeakMap<Endpoint, CallStats>()
  misrouted = 0
  last: CallResult | null = null
  firstFailure: CallResult | null = null

  /** @param series also receives each result */
  constructor(private readonly series: Pick<RunSeries, 'ended'> | null = null) {}

  record(result: CallResult): void {
    this.series?.ended(result)
    this.all.count(result)
    if (result.endpoint) this.of(result.endpoint).count(result)
    if (result.isMisrouted) this.misrouted++
    this.last = result
    if (result.statusCode !== OK) this.firstFailure ??= result
  }

  /** The stats of an endpoint. Cached by object, so that the id is not computed for each call. */
  private of(endpoint: Endpoint): CallStats {
    const known = this.statsOf.get(endpoint)
    if (known) return known
    const id = endpointId(endpoint)
    const stats = this.byEndpoint.get(id) ?? new CallStats()
    this.byEndpoint.set(id, stats)
    this.statsOf.set(endpoint, stats)
    return stats
  }
}
