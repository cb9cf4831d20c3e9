import type { HealthById, HealthCheckResult } from '../agent/health/survey.js'
import { type Endpoint, endpointId, type LeaseId } from '../domain/endpoint.js'
import { shareWithin, weightsAreUnset } from '../domain/shares.js'
import type { Ttl } from '../registry/registry.js'

/** The facts about one service: its registrations, leases and health. Rules turn them into findings. */
export interface ServiceFacts {
  readonly service: string
  /** Every endpoint of the service, not only the selected ones, because shares depend on all of them. */
  readonly endpoints: readonly Endpoint[]
  /** Whether every readable endpoint has weight 0: weights then count as unset, and no endpoint is drained. */
  readonly weightsUnset: boolean
  /** The endpoint's share of the service's traffic, from 0 to 1. */
  shareOf(endpoint: Endpoint): number
  /** The result of the endpoint's health probe; undefined if it was not probed. */
  healthOf(endpoint: Endpoint): HealthCheckResult | undefined
  /** Granted and remaining TTL of a lease; undefined if they were not read. */
  ttlOf(lease: LeaseId): Ttl | undefined
  /** All listed endpoints under a lease, including those of other services. */
  ofLease(lease: LeaseId): readonly Endpoint[]
  /** Whether machines other than etcd's own use the registry. */
  readonly isShared: boolean
  /** The shortest round trip to a member of etcd, in milliseconds; null if no member answered. */
  readonly roundTripMs: number | null
}

/** Results of an examination, from which `factsOf` builds the facts of each service. */
export interface ExaminationResults {
  readonly health: HealthById
  readonly ttls: ReadonlyMap<LeaseId, Ttl>
  readonly isShared: boolean
  readonly roundTripMs: number | null
}

/** @param byLease the endpoints of every listed service, by lease */
export function factsOf(
  service: string,
  endpoints: readonly Endpoint[],
  { health, ttls, isShared, roundTripMs }: ExaminationResults,
  byLease: ReadonlyMap<LeaseId, readonly Endpoint[]>,
): ServiceFacts {
  return {
    service,
    endpoints,
    weightsUnset: weightsAreUnset(endpoints),
    shareOf: shareWithin(endpoints),
    healthOf: (endpoint) => health.get(endpointId(endpoint)),
    ttlOf: (lease) => ttls.get(lease),
    ofLease: (lease) => byLease.get(lease) ?? [],
    isShared,
    roundTripMs,
  }
}

/** Groups endpoints by lease. Endpoints without a lease are left out. */
export function groupByLease(endpoints: readonly Endpoint[]): Map<LeaseId, Endpoint[]> {
  const byLease = new Map<LeaseId, Endpoint[]>()
  for (const endpoint of endpoints) {
    if (endpoint.lease === null) continue
    const siblings = byLease.get(endpoint.lease)
    if (siblings) siblings.push(endpoint)
    else byLease.set(endpoint.lease, [endpoint])
  }
  return byLease
}

/** The first endpoint of each key: all endpoints of a key have its lease, weight and revisions. */
export function byKey(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.toReversed().map((endpoint) => [endpoint.key, endpoint])).values()].reverse()
}
