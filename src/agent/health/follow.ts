import { setTimeout as delay } from 'node:timers/promises'
import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import { chosenOf, type EndpointFilter } from '../../domain/endpoint-filter.js'
import type { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import { endpointsOf } from '../../domain/snapshot.js'
import type { Registry } from '../../registry/registry.js'
import { endpointsOfServices } from '../../registry/service-summary.js'
import { type HealthCheckResult, type SurveyOptions, surveyHealth } from './survey.js'

/** An endpoint and its last health check. */
export interface EndpointHealth {
  readonly endpoint: Endpoint
  /** Null for an endpoint that is no longer registered. */
  readonly checked: HealthCheckResult | null
}

/** Interval between two checks of an endpoint. */
const PERIOD_MS = 1_000

/**
 * Checks each endpoint of a service, or of all services, once a second. Yields the first check of each endpoint, each
 * change of its health, and its deregistration. The list follows the registry; while etcd is unreachable, the last list
 * applies.
 *
 * @param onEtcd called with the cause when etcd becomes unreachable or denies a request, and with null when it answers again
 * @throws DiscoError ETCD_DENIED or ETCD_UNREACHABLE before the first list
 */
export async function* followHealth(
  registry: Registry,
  { service, filter }: { readonly service: string | undefined; readonly filter: EndpointFilter },
  options: SurveyOptions,
  onEtcd: (outage: DiscoError | null) => void,
  signal: AbortSignal,
): AsyncGenerator<EndpointHealth, void, void> {
  const reported = new Map<EndpointId, { endpoint: Endpoint; health: string }>()
  const list = new PeriodicList(registry, service, onEtcd, signal)
  for (;;) {
    const all = await list.next()
    if (!all) return
    const endpoints = chosenOf(filter, endpointsOfServices(all, service))
    const byId = await surveyHealth(endpoints, options, signal)
    const gone = new Map(reported)
    for (const endpoint of endpoints) {
      const id = endpointId(endpoint)
      gone.delete(id)
      const checked = endpoint.problem === null ? byId.get(id) : NOT_DIALLED
      if (!checked || signal.aborted) continue
      const health = `${checked.isHealthy} ${checked.status} ${checked.problem}`
      if (reported.get(id)?.health === health) continue
      reported.set(id, { endpoint, health })
      yield { endpoint, checked }
    }
    for (const [id, { endpoint }] of gone) {
      reported.delete(id)
      yield { endpoint, checked: null }
    }
  }
}

const NOT_DIALLED: HealthCheckResult = {
  isConnected: false,
  isHealthy: false,
  isRefused: false,
  status: null,
  problem: null,
  fault: null,
  latencyMs: 0,
}

/** Follows the endpoints of a service, or of all services, which `next` returns once a period. */
class PeriodicList {
  private readonly snapshot = new LiveSnapshot()
  private failure: unknown = null
  private isOver = false
  private hasBegun: () => void = () => undefined
  private readonly begun: Promise<void>
  private isFirst = true

  constructor(
    registry: Registry,
    service: string | undefined,
    onEtcd: (outage: DiscoError | null) => void,
    private readonly signal: AbortSignal,
  ) {
    this.begun = new Promise((resolve) => {
      this.hasBegun = resolve
    })
    void this.follow(registry, service, onEtcd)
  }

  /**
   * Resolves with the current endpoints: at the first call once there is a list, later after a period. Null after an
   * abort.
   *
   * @throws DiscoError that ended the watch
   */
  async next(): Promise<readonly Endpoint[] | null> {
    await this.begun
    if (!this.isFirst) await delay(PERIOD_MS, undefined, { signal: this.signal }).catch(() => undefined)
    this.isFirst = false
    if (this.failure !== null) throw this.failure
    return this.isOver || this.signal.aborted ? null : endpointsOf(this.snapshot)
  }

  private async follow(
    registry: Registry,
    service: string | undefined,
    onEtcd: (outage: DiscoError | null) => void,
  ): Promise<void> {
    let isStale = false
    try {
      for await (const update of registry.follow(service, this.signal)) {
        if (update.type === 'stale') {
          if (this.snapshot.hasNoList) throw update.cause
          onEtcd(update.cause)
          isStale = true
          continue
        }
        if (isStale) onEtcd(null)
        isStale = false
        this.snapshot.apply(update)
        this.hasBegun()
      }
    } catch (error) {
      this.failure = error
    }
    this.isOver = true
    this.hasBegun()
  }
}
