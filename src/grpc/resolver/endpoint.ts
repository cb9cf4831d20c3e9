import { experimental } from '@grpc/grpc-js'
import { readAddress } from '../../domain/address.js'
import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import { effectiveWeight, weightsAreUnset } from '../../domain/shares.js'
import type { Target } from './target.js'

/**
 * A gRPC endpoint that carries its registration. The extra fields travel by reference from the resolver to
 * the balancer. They must not travel as resolver attributes: those become part of a subchannel's identity,
 * and every weight change would reconnect everything.
 */
export interface RegisteredEndpoint extends experimental.Endpoint {
  readonly id: EndpointId
  readonly registration: Endpoint
  /** What balancing gives it: 0 is drained, and 1 for all where weights are unset. */
  readonly weight: number
}

/**
 * An endpoint as our resolver made it, or one of another resolver's (`dns:`, a static list), which no registry
 * has weighed: all of those count the same, and are known by their addresses.
 */
export function registered(endpoint: experimental.Endpoint): RegisteredEndpoint {
  if ('registration' in endpoint) return endpoint as RegisteredEndpoint
  const [addr = '', ...more] = endpoint.addresses.map(experimental.subchannelAddressToString)
  const registration: Endpoint = {
    service: '',
    version: '',
    addr,
    weight: 1,
    metadata: {},
    problem: null,
    layout: 'none',
    key: [addr, ...more].join(','),
    lease: null,
    createRevision: 0,
    modRevision: 0,
  }
  return { addresses: endpoint.addresses, id: endpointId(registration), registration, weight: 1 }
}

/** By which an endpoint can be pinned. */
export function namesOf({ registration: { id, key, addr } }: RegisteredEndpoint): readonly string[] {
  return id === undefined ? [key, addr] : [id, key, addr]
}

/** Whether a connection's peer is this endpoint. Two endpoints on one address have the same peer. */
export function isPeer(endpoint: RegisteredEndpoint, peer: string): boolean {
  let peers = peersOf.get(endpoint)
  if (!peers) {
    peers = endpoint.addresses.map((address) => experimental.subchannelAddressToString(address))
    peersOf.set(endpoint, peers)
  }
  return peers.includes(peer)
}

/** It is asked after every call. */
const peersOf = new WeakMap<RegisteredEndpoint, readonly string[]>()

/**
 * The endpoints of a service that a target selects and that can be dialled; all of the service where those
 * selected could get no call (none is there, or all are drained) and the target spills over.
 */
export function toGrpcEndpoints(
  service: readonly Endpoint[],
  { where, spillOver }: Pick<Target, 'where' | 'spillOver'>,
): RegisteredEndpoint[] {
  const unset = weightsAreUnset(service)
  const all = service.flatMap((registration) => toGrpcEndpoint(registration, unset))
  const conditions = Object.entries(where)
  if (conditions.length === 0) return all
  const selected = all.filter(({ registration }) =>
    conditions.every(([name, value]) => attribute(registration, name) === value),
  )
  return spillOver && selected.every(({ weight }) => weight === 0) ? all : selected
}

/** Most of a list is the same as before, and so are then the objects: a change costs little more than itself. */
const made = new WeakMap<Endpoint, RegisteredEndpoint>()

function toGrpcEndpoint(registration: Endpoint, unset: boolean): RegisteredEndpoint[] {
  if (registration.problem !== null) return []
  const weight = effectiveWeight(registration, unset)
  const before = made.get(registration)
  if (before?.weight === weight) return [before]
  const address = readAddress(registration.addr)
  if ('problem' in address) return []
  const addresses =
    address.kind === 'unix' ? [{ path: address.path }] : [{ host: address.host, port: address.port }]
  const endpoint = { addresses, id: endpointId(registration), registration, weight }
  made.set(registration, endpoint)
  return [endpoint]
}

function attribute({ version, id, addr, metadata }: Endpoint, name: string): string {
  if (name === 'version') return version
  if (name === 'id') return id ?? ''
  if (name === 'addr') return addr
  return Object.hasOwn(metadata, name) ? (metadata[name] ?? '') : ''
}
