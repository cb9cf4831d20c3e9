import { experimental } from '@grpc/grpc-js'
import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import type { SelectedList } from './live-list.js'

/**
 * A gRPC endpoint with its registration. The balancer receives the objects that the resolver has created, so it can
 * read the additional fields. Resolver attributes are not used for this, because they are part of a subchannel's
 * identity: every weight change would reconnect the endpoint.
 */
export interface RegisteredEndpoint extends experimental.Endpoint {
  readonly id: EndpointId
  readonly registration: Endpoint
  /** Weight for balancing. 0 if the endpoint is drained; 1 for all endpoints if no weights are set. */
  readonly weight: number
}

/**
 * Converts an endpoint of any resolver. Endpoints of other resolvers (`dns:`, a static list) have equal weights, and
 * are identified by their addresses.
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

/** Formats an address as registries store it: a Unix socket has the prefix `unix:`. */
function addressText(address: experimental.SubchannelAddress): string {
  return 'path' in address ? `unix:${address.path}` : experimental.subchannelAddressToString(address)
}

/** Whether a list comes from another resolver than the one for `etcd:` targets. False for an empty list. */
export function isOfAnotherResolver([first]: readonly experimental.Endpoint[]): boolean {
  return first !== undefined && !('registration' in first)
}

/** Converts the list of another resolver for observers. Its revision is 0, and it is never stale. */
export function unwatchedList(endpoints: EndpointsById): SelectedList {
  const registered = [...endpoints.values()].map(({ registration }) => registration)
  return { revision: 0, registered, selected: registered, stale: null, cachedAgeMs: null, isNew: true }
}

/** The endpoints of a list, in the order of the list. */
export type EndpointsById = ReadonlyMap<EndpointId, RegisteredEndpoint>

/**
 * A resolver's list by endpoint id. Channels that receive the same array share the result, so it must not be changed.
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

/** The last comparison of each list. It refers weakly to the earlier list, which would otherwise stay in memory. */
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

/** Names by which a call can be pinned to an endpoint. */
export function namesOf({ registration: { id, key, addr } }: RegisteredEndpoint): readonly string[] {
  return id === undefined ? [key, addr] : [id, key, addr]
}

/**
 * Whether a connection leads to this endpoint. True for several endpoints if they have the same address.
 *
 * @param peer the remote address of the connection
 */
export function isPeer(endpoint: RegisteredEndpoint, peer: string): boolean {
  let peers = peersOf.get(endpoint)
  if (!peers) {
    peers = endpoint.addresses.map((address) => experimental.subchannelAddressToString(address))
    peersOf.set(endpoint, peers)
  }
  return peers.includes(peer)
}

/** Cached, because `isPeer` is called after every call. */
const peersOf = new WeakMap<RegisteredEndpoint, readonly string[]>()
