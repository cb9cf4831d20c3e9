import type { ProxyServer } from '../../proxy/proxy-server.js'
import { type ResolvedRegistryDoc, resolvedRegistryDoc } from '../registries/document.js'

/** A running proxy. */
export interface ProxyDoc {
  readonly schema: 'disco.proxy/v1'
  /** The bound `host:port`. */
  readonly listen: string
  readonly policy: string
  readonly services: readonly ProxiedServiceDoc[]
}

export interface ProxiedServiceDoc {
  readonly target: string
  /** Null before the registry has answered. */
  readonly endpoints: number | null
  readonly ready: number
  /** Only with several registries. */
  readonly registries?: readonly ResolvedRegistryDoc[]
}

export function proxyDoc({ address, services }: ProxyServer, policy: string): ProxyDoc {
  return {
    schema: 'disco.proxy/v1',
    listen: address,
    policy,
    services: services.map(({ name, members, hasList, registries }) => {
      const all = [...members]
      return {
        target: name.target,
        endpoints: hasList ? all.length : null,
        ready: all.filter(({ isReady }) => isReady).length,
        ...(registries ? { registries: registries.map(resolvedRegistryDoc) } : {}),
      }
    }),
  }
}
