import { formatSelector, type Selector, selects } from '../../domain/selector.js'
import type { XdsServer } from '../../xds/xds-server.js'

/** A running control plane. */
export interface XdsDoc {
  readonly schema: 'disco.xds/v1'
  /** The bound `host:port`. */
  readonly listen: string
  readonly tls: boolean
  /** The selector of `--canary`; null without one. */
  readonly canary: string | null
  readonly services: readonly XdsServiceDoc[]
  /** Only with several registries. */
  readonly registries?: readonly XdsRegistryDoc[]
}

/** One of several registries. */
export interface XdsRegistryDoc {
  readonly registry: string
  /** Priority 0 is used first; a higher number only while no endpoint of a lower number is READY. */
  readonly priority: number
  /** Weight of the registry among those of the same priority. */
  readonly weight: number
  /** Why the registry is unreachable; null if it is reachable. */
  readonly problem: string | null
}

export interface XdsServiceDoc {
  readonly service: string
  /** Number of endpoints that clients get. */
  readonly endpoints: number
  /** Number of registered endpoints that clients do not get, because they are drained or cannot be dialled. */
  readonly omitted: number
  /** Number of endpoints that the canary selects; null without --canary. */
  readonly canary: number | null
  /** Number of endpoints that clients get, by registry. Only with several registries. */
  readonly registries?: readonly { readonly registry: string; readonly endpoints: number }[]
}

/** @param server its services without a first list are left out */
export function xdsDoc(server: XdsServer, isTls: boolean, canary: Selector | null): XdsDoc {
  const { registries, outages } = server
  return {
    schema: 'disco.xds/v1',
    listen: server.address,
    tls: isTls,
    canary: canary && formatSelector(canary),
    services: [...server.catalog.services()].map(([service, { endpoints, assignment }]) => ({
      service,
      endpoints: assignment.localities.length,
      omitted: assignment.omissions.length,
      canary: canary && endpoints.filter((endpoint) => selects(canary, endpoint)).length,
      ...(registries.length === 0
        ? {}
        : {
            registries: registries.map(({ registry }) => ({
              registry,
              endpoints: assignment.localities.filter((locality) => locality.registry === registry).length,
            })),
          }),
    })),
    ...(registries.length === 0
      ? {}
      : {
          registries: registries.map(({ registry, priority, weight }) => ({
            registry,
            priority,
            weight,
            problem: outages.get(registry)?.message ?? null,
          })),
        }),
  }
}
