import type { HealthById, HealthCheckResult } from '../../agent/health/survey.js'
import { type Endpoint, endpointId, type Revision } from '../../domain/endpoint.js'
import type { EndpointList } from '../../registry/registry.js'

export interface HealthEndpointDoc {
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly weight: number
  /** Whether the server reports SERVING, or accepts gRPC connections without implementing grpc.health.v1. */
  readonly healthy: boolean
  /** Whether there is a gRPC connection. */
  readonly connected: boolean
  /** The serving status; UNIMPLEMENTED if the server does not implement grpc.health.v1, null if it did not answer. */
  readonly status: string | null
  /** Why the endpoint is not healthy: the failed check, or the fault of its registration. Null if it is healthy. */
  readonly problem: string | null
  /** How long the health check took; null if there was none. */
  readonly latencyMs: number | null
}

export interface HealthDoc {
  readonly schema: 'disco.health/v1'
  /** The name of the service; the target if its endpoints are not in a registry. */
  readonly service: string
  /** The revision of the list; null if the endpoints are not in a registry. */
  readonly rev: string | null
  /** The number of healthy endpoints. */
  readonly healthy: number
  readonly endpoints: readonly HealthEndpointDoc[]
}

/** The health of selected endpoints of all services. */
export interface HealthsDoc {
  readonly schema: 'disco.healths/v1'
  readonly rev: string
  /** The number of healthy endpoints of all services. */
  readonly healthy: number
  /** The services with a selected endpoint. */
  readonly services: readonly HealthDoc[]
}

/** A change reported by `health --watch`. */
export interface HealthEventDoc extends Omit<HealthEndpointDoc, 'latencyMs'> {
  readonly schema: 'disco.health-event/v1'
  readonly type: 'healthy' | 'unhealthy' | 'gone'
  readonly service: string
}

export function healthDoc(
  service: string,
  { revision, endpoints }: Pick<EndpointList, 'revision' | 'endpoints'>,
  byId: HealthById,
): HealthDoc {
  const docs = endpoints.map((endpoint) => healthEndpointDoc(endpoint, byId.get(endpointId(endpoint))))
  return {
    schema: 'disco.health/v1',
    service,
    rev: revision === 0 ? null : String(revision),
    healthy: docs.filter(({ healthy }) => healthy).length,
    endpoints: docs,
  }
}

/** The health of several services. @param services the selected endpoints by service */
export function healthsDoc(
  revision: Revision,
  services: ReadonlyMap<string, readonly Endpoint[]>,
  byId: HealthById,
): HealthsDoc {
  const docs = [...services].map(([service, endpoints]) => healthDoc(service, { revision, endpoints }, byId))
  const healthy = docs.reduce((sum, doc) => sum + doc.healthy, 0)
  return { schema: 'disco.healths/v1', rev: String(revision), healthy, services: docs }
}

function healthEndpointDoc(endpoint: Endpoint, checked: HealthCheckResult | undefined): HealthEndpointDoc {
  const { key, addr, version, weight } = endpoint
  return {
    key,
    addr,
    version,
    weight,
    healthy: checked?.isHealthy ?? false,
    connected: checked?.isConnected ?? false,
    status: checked?.status ?? null,
    problem: checked ? checked.problem : (endpoint.problem?.text ?? 'not asked'),
    latencyMs: checked ? Math.round(checked.latencyMs * 1000) / 1000 : null,
  }
}

export function healthEventDoc(
  service: string,
  endpoint: HealthEndpointDoc,
  type: HealthEventDoc['type'] = endpoint.healthy ? 'healthy' : 'unhealthy',
): HealthEventDoc {
  const { latencyMs: _, ...fields } = endpoint
  return { schema: 'disco.health-event/v1', type, service, ...fields }
}

/** Health in one or two words, such as `SERVING` or `connection refused`; `READY` for a connection without a status. */
export function healthText({ status, problem }: Pick<HealthEndpointDoc, 'status' | 'problem'>): string {
  if (problem !== null) return problem
  return status === null || status === 'UNIMPLEMENTED' ? 'READY' : status
}
