import type { HealthById } from '../../agent/health/survey.js'
import { endpointId } from '../../domain/endpoint.js'
import type { Ttl } from '../../registry/registry.js'
import type { ServiceSummary } from '../../registry/service-summary.js'
import type { RegistryDoc } from '../registries/document.js'

export interface ServiceDoc {
  /** Only with several registries. */
  readonly registry?: string
  readonly service: string
  readonly layout: string
  readonly versions: readonly string[]
  readonly endpoints: number
  /** The sum of the endpoints' weights. */
  readonly weight: number
  /** The least remaining TTL of the service's leases; null without leases, or if `ttlsAsked` is false. */
  readonly minTtlSeconds: number | null
  /** The number of healthy endpoints; null unless they were probed. */
  readonly ready: number | null
}

export interface ServicesDoc {
  readonly schema: 'disco.services/v1'
  readonly rev: string
  /** Whether etcd was asked for the remaining time of each lease; if not, `minTtlSeconds` is null. */
  readonly ttlsAsked: boolean
  /** Only with several registries. `rev` is then the revision of the first registry that answered. */
  readonly registries?: readonly RegistryDoc[]
  readonly services: readonly ServiceDoc[]
}

export function servicesDoc(
  revision: number,
  services: readonly ServiceSummary[],
  ttls: ReadonlyMap<string, Ttl> | null,
  health: HealthById | null = null,
): ServicesDoc {
  return {
    schema: 'disco.services/v1',
    rev: String(revision),
    ttlsAsked: ttls !== null,
    services: services.map((summary) => {
      const { service, layout, versions, endpoints, weight } = summary
      const left = endpoints.flatMap(({ lease }) =>
        lease === null ? [] : (ttls?.get(lease)?.ttlSeconds ?? []),
      )
      const minTtlSeconds = left.length === 0 ? null : left.reduce((least, ttl) => Math.min(least, ttl))
      const ready = health && endpoints.filter((one) => health.get(endpointId(one))?.isHealthy).length
      return { service, layout, versions, endpoints: endpoints.length, weight, minTtlSeconds, ready }
    }),
  }
}
