import { formatSelector, type Selector, selects } from '../../domain/selector.js'
import type { XdsServer } from '../../xds/xds-server.js'

/** A running control plane. */
export interface XdsDoc {
  readonly schema: 'disco.xds/v1'
  /** Where it listens: `host:port`. */
  readonly listen: string
  readonly tls: boolean
  /** The selector of `--canary`; null without one. */
  readonly canary: string | null
  readonly services: readonly XdsServiceDoc[]
  /** Only of several. */
  readonly registries?: readonly XdsRegistryDoc[]
}

/** One of several registries. */
export interface XdsRegistryDoc {
  readonly registry: string
  /** 0 is used first; others while no endpoint of a lower number is READY. */
  readonly priority: number
  /** Its part of the calls among the registries of its priority. */
  readonly weight: number
  /** Why it is unreachable; null while it is reachable. */
  readonly problem: string | null
}

export interface XdsServiceDoc {
  readonly service: string
  /** Endpoints that clients are given. */
  readonly endpoints: number
  /** Endpoints that are registered and not given to clients: drained, or not to be dialled. */
  readonly omitted: number
  /** Endpoints that the canary selects; null without one. */
  readonly canary: number | null
  /** Endpoints that clients are given, by registry; only of several. */
  readonly registries?: readonly { readonly registry: string; readonly endpoints: number }[]
}

/** @param server services whose first list it has not received yet are left out */
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
