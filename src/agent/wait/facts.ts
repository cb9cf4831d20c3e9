import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import { chosenOf } from '../../domain/endpoint-filter.js'
import type { LiveSnapshot } from '../../domain/live-snapshot.js'
import { endpointsOf } from '../../domain/snapshot.js'
import type { WaitFacts } from '../../domain/wait-judgement.js'
import { endpointsOfServices } from '../../registry/service-summary.js'
import type { HealthById } from '../health/survey.js'
import type { WaitRequest } from './request.js'

/** What the registry shows about the selected endpoints, before their servers are checked. */
export function registryFacts(
  snapshot: LiveSnapshot,
  { service, filter }: Pick<WaitRequest, 'service' | 'filter'>,
): WaitFacts {
  const endpoints = chosenOf(filter, endpointsOfServices(endpointsOf(snapshot), service))
  const isDrained = (endpoint: Endpoint) =>
    // If all weights of a service are 0, they are unset: each endpoint has a share.
    endpoint.weight === 0 && endpoint.problem === null && snapshot.shareOf(endpoint) === 0
  const drained = new Set(endpoints.filter(isDrained).map(endpointId))
  return { endpoints, names: filter.addrs, ready: null, healthy: null, drained }
}

/** Adds the results of health checks. */
export function withHealth(facts: WaitFacts, byId: HealthById): WaitFacts {
  const ready = new Set<EndpointId>()
  const healthy = new Set<EndpointId>()
  for (const id of facts.endpoints.map(endpointId)) {
    const checked = byId.get(id)
    if (checked?.isConnected) ready.add(id)
    if (checked?.isHealthy) healthy.add(id)
  }
  return { ...facts, ready, healthy }
}
