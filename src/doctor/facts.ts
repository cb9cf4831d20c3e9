import type { HealthById, HealthChecked } from '../agent/health/survey.js'
import { type Endpoint, endpointId, type LeaseId } from '../domain/endpoint.js'
import { shareWithin, weightsAreUnset } from '../domain/shares.js'
import type { Ttl } from '../registry/registry.js'

/** What was read and probed for one service. Pure data: rules turn it into findings. */
export interface ServiceFacts {
  readonly service: string
  /** Every endpoint of the service, whatever was selected: shares depend on all of them. */
  readonly endpoints: readonly Endpoint[]
  /** All addresses are 0: the weights are unset, and nothing is drained. */
  readonly weightsUnset: boolean
  /** From 0 to 1, of the service's traffic. */
  shareOf(endpoint: Endpoint): number
  /** Undefined for an endpoint that was not probed, or could not be from this machine. */
  healthOf(endpoint: Endpoint): HealthChecked | undefined
  /** Undefined for a lease whose time is not known. */
  ttlOf(lease: LeaseId): Ttl | undefined
  /** The listed endpoints of a lease, of every service. */
  ofLease(lease: LeaseId): readonly Endpoint[]
  /** Whether machines other than etcd's own use the registry. */
  readonly isShared: boolean
  /** The fastest answer of etcd; null if none came. */
  readonly roundTripMs: number | null
}

/** What facts are made of. */
export interface Examined {
  readonly health: HealthById
  readonly ttls: ReadonlyMap<LeaseId, Ttl>
  readonly isShared: boolean
  readonly roundTripMs: number | null
}

/** @param byLease of every service that was listed */
export function factsOf(
  service: string,
  endpoints: readonly Endpoint[],
  { health, ttls, isShared, roundTripMs }: Examined,
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

/** Endpoints by their lease. */
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

/** One endpoint of each key: those of one key share its lease, weight and revisions. */
export function byKey(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.toReversed().map((endpoint) => [endpoint.key, endpoint])).values()].reverse()
}
