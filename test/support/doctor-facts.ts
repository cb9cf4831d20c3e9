import type { HealthCheckResult, HealthFault } from '../../src/agent/health/survey.js'
import { factsOf, groupByLease, type ServiceFacts } from '../../src/doctor/facts.js'
import { type Endpoint, type EndpointId, endpointId } from '../../src/domain/endpoint.js'
import type { Ttl } from '../../src/registry/registry.js'

/** A check result with this fault; null means SERVING. */
export function checked(fault: HealthFault | null, problem: string | null = fault): HealthCheckResult {
  const isConnected = fault === null || fault === 'not-serving' || fault === 'denied'
  return {
    isConnected,
    isHealthy: fault === null,
    isRefused: fault === 'refused',
    status: fault === null ? 'SERVING' : null,
    problem,
    fault,
    latencyMs: 1,
  }
}

/** Facts about `hello`, with the given values. */
export function facts(
  endpoints: readonly Endpoint[],
  {
    health = {},
    ttls = {},
    others = [],
    isShared = false,
    roundTripMs = 1,
  }: {
    /** Check results by address. */
    readonly health?: Readonly<Record<string, HealthCheckResult>>
    /** Remaining TTLs by lease. */
    readonly ttls?: Readonly<Record<string, Ttl>>
    /** Endpoints of other services. */
    readonly others?: readonly Endpoint[]
    readonly isShared?: boolean
    readonly roundTripMs?: number | null
  } = {},
): ServiceFacts {
  const byId = new Map<EndpointId, HealthCheckResult>()
  for (const endpoint of endpoints) {
    const result = health[endpoint.addr]
    if (result) byId.set(endpointId(endpoint), result)
  }
  const examined = { health: byId, ttls: new Map(Object.entries(ttls)), isShared, roundTripMs }
  return factsOf('hello', endpoints, examined, groupByLease([...endpoints, ...others]))
}
