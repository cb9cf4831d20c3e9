import { hostPort } from '../domain/address.js'
import { ofRegistry } from '../domain/documents.js'
import { RESOURCE_TYPES, type ResourceType } from './resources.js'
import type { XdsServer } from './xds-server.js'

/** The services and assignments that clients receive. */
export interface XdsEndpointsDoc {
  readonly schema: 'disco.xds-endpoints/v1'
  readonly services: readonly {
    readonly service: string
    readonly endpoints: readonly XdsEndpointDoc[]
    /** Registered endpoints that clients do not receive. */
    readonly omitted: readonly XdsOmittedDoc[]
  }[]
}

export interface XdsOmittedDoc {
  /** The registry of the endpoint; absent if there is only one registry. */
  readonly registry?: string
  readonly addr: string
  readonly key: string
  readonly reason: string
}

export interface XdsEndpointDoc {
  /** The registry of the endpoint; absent if there is only one registry. */
  readonly registry?: string
  /** The registered address. */
  readonly addr: string
  /** IP literals with ports, such as `10.0.0.1:80` or `[::1]:80`. */
  readonly sockets: readonly string[]
  /** The weight of its locality. Localities of one priority share the calls by weight. */
  readonly weight: number
  /**
   * The priority of its locality, from 0. Endpoints of a priority get calls only if no endpoint of a lower number is
   * READY.
   */
  readonly priority: number
}

export function endpointsDoc({ catalog }: XdsServer): XdsEndpointsDoc {
  return {
    schema: 'disco.xds-endpoints/v1',
    services: [...catalog.services()].map(([service, { assignment }]) => ({
      service,
      endpoints: assignment.localities.map(({ registry, name, sockets, weight, priority }) => ({
        ...(registry === null ? {} : { registry }),
        addr: name,
        sockets: sockets.map(({ ip, port }) => hostPort({ host: ip, port })),
        weight,
        priority,
      })),
      omitted: assignment.omissions.map(({ endpoint, reason }) => ({
        ...ofRegistry(endpoint),
        addr: endpoint.addr,
        key: endpoint.key,
        reason,
      })),
    })),
  }
}

/** The clients, and the last versions that they received and accepted. */
export interface XdsClientsDoc {
  readonly schema: 'disco.xds-clients/v1'
  readonly clients: readonly XdsClientDoc[]
}

export interface XdsClientDoc {
  /** `node.id` of its bootstrap file; null before its first request. */
  readonly node: string | null
  /** Its library and version; null before its first request. */
  readonly agent: string | null
  readonly peer: string
  /** Resource types that the client has received or subscribes to by name. */
  readonly types: readonly {
    readonly type: ResourceType
    /** Number of names that the client subscribes to. */
    readonly names: number
    /** Version of the last response; empty before the first. */
    readonly sent: string
    /** Version of the last response that the client accepted. */
    readonly accepted: string
    /** Whether the client has not answered the last response yet. */
    readonly waiting: boolean
    /** Why the client rejected the last response; null if it did not. */
    readonly rejection: string | null
  }[]
}

export function clientsDoc({ streams }: XdsServer): XdsClientsDoc {
  return {
    schema: 'disco.xds-clients/v1',
    clients: [...streams].map(({ identity, peer, types }) => ({
      node: identity?.node ?? null,
      agent: identity?.agent ?? null,
      peer,
      types: RESOURCE_TYPES.filter(
        (type) => types[type].sentVersion !== '' || types[type].subscription.size > 0,
      ).map((type) => ({
        type,
        names: types[type].subscription.size,
        sent: types[type].sentVersion,
        accepted: types[type].ackedVersion,
        waiting: types[type].subscription.waitsForAnswer,
        rejection: types[type].rejection,
      })),
    })),
  }
}
