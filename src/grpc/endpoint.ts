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

export function isRegistered(endpoint: experimental.Endpoint): endpoint is RegisteredEndpoint {
  return 'registration' in endpoint
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
