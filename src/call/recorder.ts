import { type EndpointId, endpointId } from '../domain/endpoint.js'
import { LatencyHistogram } from '../stats/latency.js'
import type { CallResult } from './report.js'

/** gRPC's status of a call that succeeded. */
const OK = 0

/** How some calls ended; its size does not depend on how many. */
export class Tally {
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

  add(other: Tally): void {
    this.calls += other.calls
    this.errors += other.errors
    this.latency.add(other.latency)
    for (const [status, calls] of Object.entries(other.failures)) {
      this.failures[status] = (this.failures[status] ?? 0) + calls
    }
  }
}

/** Keeps how the calls of a run ended, together and by endpoint, and of single calls only the last. */
export class Recorder {
  readonly all = new Tally()
  readonly byEndpoint = new Map<EndpointId, Tally>()
  misrouted = 0
  last: CallResult | null = null

  record(result: CallResult): void {
    this.all.count(result)
    if (result.endpoint) this.of(endpointId(result.endpoint)).count(result)
    if (result.isMisrouted) this.misrouted++
    this.last = result
  }

  private of(id: EndpointId): Tally {
    const known = this.byEndpoint.get(id)
    if (known) return known
    const made = new Tally()
    this.byEndpoint.set(id, made)
    return made
  }
}
