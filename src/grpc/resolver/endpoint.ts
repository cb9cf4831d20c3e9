import { experimental } from '@grpc/grpc-js'
import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import type { SelectedList } from './live-list.js'

/**
 * A gRPC endpoint that carries its registration. The extra fields travel by reference from the resolver to
 * the balancer. They must not travel as resolver attributes: those become part of a subchannel's identity,
 * and every weight change would reconnect everything.
 */
export interface RegisteredEndpoint extends experimental.Endpoint {
  readonly id: EndpointId
  readonly registration: Endpoint
  /** Weight for balancing: 0 is drained; 1 for all endpoints if weights are unset. */
  readonly weight: number
}

/**
 * Converts an endpoint of any resolver. Those of other resolvers (`dns:`, a static list) have no weights: they count as
 * equal, and their addresses identify them.
 */
export function registered(endpoint: experimental.Endpoint): RegisteredEndpoint {
  if ('registration' in endpoint) return endpoint as RegisteredEndpoint
  const [addr = '', ...more] = endpoint.addresses.map(addressText)
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

/** Formats an address as registries do: a Unix socket has the prefix `unix:`. */
function addressText(address: experimental.SubchannelAddress): string {
  return 'path' in address ? `unix:${address.path}` : experimental.subchannelAddressToString(address)
}

/** Whether a list was made by a resolver other than ours. An empty one is always ours. */
export function isOfAnotherResolver([first]: readonly experimental.Endpoint[]): boolean {
  return first !== undefined && !('registration' in first)
}

/** The list of another resolver in the form for observers. It has no revision, and is never stale. */
export function unwatchedList(endpoints: EndpointsById): SelectedList {
  const registered = [...endpoints.values()].map(({ registration }) => registration)
  return { revision: 0, registered, selected: registered, stale: null, cachedAgeMs: null, isNew: true }
}

/** A list of endpoints, in its order. */
export type EndpointsById = ReadonlyMap<EndpointId, RegisteredEndpoint>

/**
 * A resolver's list by endpoint id. Channels that receive the same array share the result, which must not be changed.
 */
export function registeredById(list: readonly experimental.Endpoint[]): EndpointsById {
  const known = byId.get(list)
  if (known) return known
  const endpoints = new Map<EndpointId, RegisteredEndpoint>()
  for (const one of list) {
    const endpoint = registered(one)
    endpoints.set(endpoint.id, endpoint)
  }
  byId.set(list, endpoints)
  return endpoints
}

const byId = new WeakMap<readonly experimental.Endpoint[], EndpointsById>()

/**
 * The endpoints that changed from one list to the next, if both lists have the same ids in the same order; otherwise
 * null. Channels that receive the same two lists share the result.
 */
export function changedEndpoints(
  before: EndpointsById,
  now: EndpointsById,
): readonly RegisteredEndpoint[] | null {
  const known = compared.get(now)
  if (known?.before.deref() === before) return known.changed
  const changed = compare(before, now)
  compared.set(now, { before: new WeakRef(before), changed })
  return changed
}

/** A weak reference to the previous list: otherwise each list would keep all earlier ones in memory. */
const compared = new WeakMap<EndpointsById, Comparison>()

interface Comparison {
  readonly before: WeakRef<EndpointsById>
  readonly changed: readonly RegisteredEndpoint[] | null
}

function compare(before: EndpointsById, now: EndpointsById): readonly RegisteredEndpoint[] | null {
  if (before.size !== now.size) return null
  const changed: RegisteredEndpoint[] = []
  const others = before.values()
  for (const endpoint of now.values()) {
    const other = others.next().value
    if (other === endpoint) continue
    if (other?.id !== endpoint.id) return null
    changed.push(endpoint)
  }
  return changed
}

/** Names by which an endpoint can be pinned. */
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

/** Cached: `isPeer` is called after every call. */
const peersOf = new WeakMap<RegisteredEndpoint, readonly string[]>()
