import { status } from '../grpc/protocol.js'
import { gauge, renderPrometheus, type Sample } from '../net/prometheus.js'
import type { CallEnd } from './call.js'
import type { ProxyServer } from './proxy-server.js'
import { serviceName } from './service.js'

/** Upper bounds of the latency histogram, in seconds. */
const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Maximum number of call counters. Beyond it the oldest is dropped, so that removed endpoints do not fill the memory. */
const MAX_SERIES = 10_000

interface CallCounter {
  readonly service: string
  readonly endpoint: string
  readonly code: string
  calls: number
}

/** The latencies of one service. A bucket counts the calls between the previous bound and its own. */
class Latencies {
  readonly buckets = BOUNDS_SECONDS.map(() => 0)
  sumSeconds = 0
  count = 0

  record(seconds: number): void {
    this.count++
    this.sumSeconds += seconds
    const at = BOUNDS_SECONDS.findIndex((bound) => seconds <= bound)
    if (at >= 0) this.buckets[at] = (this.buckets[at] ?? 0) + 1
  }

  samples(service: string): Sample[] {
    let below = 0
    const buckets = BOUNDS_SECONDS.map((bound, at) => {
      below += this.buckets[at] ?? 0
      return { suffix: '_bucket', labels: { service, le: String(bound) }, value: below }
    })
    return [
      ...buckets,
      { suffix: '_bucket', labels: { service, le: '+Inf' }, value: this.count },
      { suffix: '_sum', labels: { service }, value: this.sumSeconds },
      { suffix: '_count', labels: { service }, value: this.count },
    ]
  }
}

/** Counts the calls of a proxy, and renders them for Prometheus with the state of its endpoints. */
export class ProxyMetrics {
  private readonly counted = new Map<string, CallCounter>()
  private readonly latencies = new Map<string, Latencies>()
  private readonly replays = new Map<string, number>()

  count({ service: of, upstream, code, tookMs, replays }: CallEnd): void {
    const service = of ? serviceName(of) : ''
    const endpoint = upstream?.endpoint.registration.addr ?? ''
    const key = `${service}\0${endpoint}\0${code}`
    const known = this.counted.get(key)
    if (known) known.calls++
    else {
      this.counted.set(key, { service, endpoint, code: status[code] ?? String(code), calls: 1 })
      if (this.counted.size > MAX_SERIES) this.counted.delete(this.counted.keys().next().value ?? '')
    }
    let latencies = this.latencies.get(service)
    if (!latencies) {
      latencies = new Latencies()
      this.latencies.set(service, latencies)
    }
    latencies.record(tookMs / 1_000)
    if (replays > 0) this.replays.set(service, (this.replays.get(service) ?? 0) + replays)
  }

  render({ services, calls, connections }: ProxyServer): string {
    const perEndpoint = (read: (upstream: Upstream) => number, join = sum): Sample[] => {
      // Two targets, or two keys, can lead to one address of one service.
      const samples = new Map<string, Sample>()
      for (const service of services) {
        for (const upstream of service.members) {
          const labels = { service: serviceName(service), endpoint: upstream.endpoint.registration.addr }
          const key = `${labels.service}\0${labels.endpoint}`
          const before = samples.get(key)
          const value = before ? join(before.value, read(upstream)) : read(upstream)
          samples.set(key, { labels, value })
        }
      }
      return [...samples.values()]
    }
    return renderPrometheus([
      {
        name: 'disco_proxy_calls_total',
        help: 'Calls that have ended, by the endpoint of their last attempt; empty if no endpoint took the call.',
        type: 'counter',
        samples: [...this.counted.values()].map(({ service, endpoint, code, calls: value }) => ({
          labels: { service, endpoint, code },
          value,
        })),
      },
      gauge(
        'disco_proxy_outstanding',
        'Outstanding calls at the endpoint.',
        perEndpoint(({ outstanding }) => outstanding.count),
      ),
      {
        name: 'disco_proxy_latency_seconds',
        help: 'Duration of calls, from their headers to their status.',
        type: 'histogram',
        samples: [...this.latencies].flatMap(([service, latencies]) => latencies.samples(service)),
      },
      {
        name: 'disco_proxy_replays_total',
        help: 'Attempts that were repeated because the endpoint had not begun to process the call.',
        type: 'counter',
        samples: [...this.replays].map(([service, value]) => ({ labels: { service }, value })),
      },
      gauge(
        'disco_proxy_endpoint_ready',
        'Whether the endpoint takes calls.',
        perEndpoint(({ isReady }) => Number(isReady), Math.max),
      ),
      gauge(
        'disco_proxy_endpoint_weight',
        'Weight of the endpoint.',
        perEndpoint(({ endpoint }) => endpoint.weight),
      ),
      gauge('disco_proxy_calls', 'Outstanding calls.', [{ value: calls }]),
      gauge('disco_proxy_connections', 'Connections of callers.', [{ value: connections }]),
    ])
  }
}

type Upstream = ProxyServer['services'][number]['members'] extends Iterable<infer One> ? One : never

function sum(one: number, other: number): number {
  return one + other
}
