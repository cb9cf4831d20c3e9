import { experimental } from '@grpc/grpc-js'
import { readAddress } from '../domain/address.js'
import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'

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
    ...{ service: '', version: '', addr, weight: 1, metadata: {}, problem: null, layout: 'none' },
    ...{ key: [addr, ...more].join(','), lease: null, createRevision: 0, modRevision: 0 },
  }
  return { addresses: endpoint.addresses, id: endpointId(registration), registration, weight: 1 }
}

/** Whether a connection's peer is this endpoint. Two endpoints on one address have the same peer. */
export function isPeer({ addresses }: RegisteredEndpoint, peer: string): boolean {
  return addresses.some((address) => experimental.subchannelAddressToString(address) === peer)
}

/** The endpoints of a service that can be dialled; of one version, if one is given. */
export function toGrpcEndpoints(service: readonly Endpoint[], version: string | null): RegisteredEndpoint[] {
  const unset = weightsAreUnset(service)
  return service.flatMap((registration) => {
    if (registration.problem !== null || (version !== null && registration.version !== version)) return []
    const address = readAddress(registration.addr)
    if ('problem' in address) return []
    const addresses =
      address.kind === 'unix' ? [{ path: address.path }] : [{ host: address.host, port: address.port }]
    const weight = effectiveWeight(registration, unset)
    return [{ addresses, id: endpointId(registration), registration, weight }]
  })
}
