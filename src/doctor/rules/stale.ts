import type { Endpoint } from '../../domain/endpoint.js'
import { findLayout } from '../../domain/layouts/index.js'
import type { ServiceFacts } from '../facts.js'
import { keepsWeight } from '../mend.js'

/**
 * Whether a key is a leftover that can be removed without a look: it lacks a lease, so no registrar holds it; its host
 * refuses connections to each of its addresses, so no server is there; and the service keeps a weight without it, or
 * has none.
 */
export function isStale(endpoint: Endpoint, facts: ServiceFacts): boolean {
  if (!lacksLease(endpoint)) return false
  const { key } = endpoint
  const ofKey = facts.endpoints.filter((other) => other.key === key)
  const isRefused = ofKey.every((other) => facts.healthOf(other)?.fault === 'refused')
  const [first] = ofKey
  if (!first || !isRefused) return false
  return facts.weightsUnset || first.weight === 0 || keepsWeight(first, facts.endpoints) || isOnly(key, facts)
}

/** Whether a key has no lease although writers of its layout take one: records of SkyDNS, say, are written by hand. */
export function lacksLease({ lease, layout }: Endpoint): boolean {
  return lease === null && findLayout(layout)?.wantsLease === true
}

/** Whether no other endpoint would be left to get its traffic by mistake. */
function isOnly(key: string, { endpoints }: ServiceFacts): boolean {
  return endpoints.every((endpoint) => endpoint.key === key || endpoint.problem !== null)
}
