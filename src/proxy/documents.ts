import { ofRegistry } from '../domain/documents.js'
import type { ProxyServer } from './proxy-server.js'

/** The current endpoints of a proxy. */
export interface ProxyEndpointsDoc {
  readonly schema: 'disco.proxy-endpoints/v1'
  readonly services: readonly {
    readonly target: string
    /** Null before the registry has answered. */
    readonly endpoints: readonly ProxyEndpointDoc[] | null
  }[]
}

export interface ProxyEndpointDoc {
  /** Only if there are several registries. */
  readonly registry?: string
  readonly addr: string
  readonly key: string
  readonly version: string
  readonly weight: number
  readonly ready: boolean
  /** Why the endpoint is not READY; null if it is. */
  readonly problem: string | null
  readonly outstanding: number
}

export function endpointsDoc({ services }: ProxyServer): ProxyEndpointsDoc {
  return {
    schema: 'disco.proxy-endpoints/v1',
    services: services.map(({ name, members, hasList }) => ({
      target: name.target,
      endpoints: hasList
        ? [...members].map(({ endpoint, isReady, problem, outstanding }) => ({
            ...ofRegistry(endpoint.registration),
            addr: endpoint.registration.addr,
            key: endpoint.registration.key,
            version: endpoint.registration.version,
            weight: endpoint.weight,
            ready: isReady,
            problem: isReady ? null : problem,
            outstanding: outstanding.count,
          }))
        : null,
    })),
  }
}
