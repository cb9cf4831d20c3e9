import type { Endpoint } from '../../domain/endpoint.js'
import type { ServiceFacts } from '../facts.js'
import { keepsWeight } from '../mend.js'

/**
 * Whether a key is a leftover that can be removed without a look: it has no lease, so no registrar holds it; its host
 * refuses connections to each of its addresses, so no server is there; and the service keeps a weight without it, or
 * has none.
 */
export function isStale({ key, lease }: Endpoint, facts: ServiceFacts): boolean {
  if (lease !== null) return false
  const ofKey = facts.endpoints.filter((endpoint) => endpoint.key === key)
  const isRefused = ofKey.every((endpoint) => facts.healthOf(endpoint)?.fault === 'refused')
  const [first] = ofKey
  if (!first || !isRefused) return false
  return facts.weightsUnset || first.weight === 0 || keepsWeight(first, facts.endpoints) || isOnly(key, facts)
}

/** Whether no other endpoint would be left to get its traffic by mistake. */
function isOnly(key: string, { endpoints }: ServiceFacts): boolean {
  return endpoints.every((endpoint) => endpoint.key === key || endpoint.problem !== null)
}
