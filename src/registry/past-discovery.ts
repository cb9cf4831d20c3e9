import type { Discovery } from '../domain/discovery.js'
import type { EndpointList } from './listing.js'

/** A discovery of one list that never changes, such as an earlier state of a service. */
export function pastDiscovery({ revision, endpoints }: EndpointList): Discovery {
  return {
    async *watch(_query, signal) {
      yield { type: 'reset', revision, endpoints, source: 'etcd', ageMs: 0 }
      if (signal.aborted) return
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
}
