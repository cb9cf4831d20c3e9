import { hostname, networkInterfaces } from 'node:os'
import type { Environment, Policy } from '../../policies/index.js'
import { Rotation as PolicyRotation } from '../../policies/rotation.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { Member } from './member.js'

/** A policy's rotation of members. Used by the balancer of a channel, and by the proxy for each service. */
export class Rotation<One extends Member> extends PolicyRotation<RegisteredEndpoint, One> {
  constructor(policy: Policy) {
    super(policy, ENVIRONMENT)
  }
}

/** The inputs of a policy that chooses among members. */
export const ENVIRONMENT: Environment<Member> = {
  random: Math.random,
  get clientKey() {
    return ownName()
  },
  id: ({ endpoint }) => endpoint.id,
  names: ({ names }) => names,
  rank: ({ rank }) => rank,
  outstanding: ({ outstanding }) => outstanding.count,
}

/** The identity of this client: the first address that is not a loopback address, or the host name if there is none. */
export function ownName(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.find(({ internal }) => !internal)?.address ?? hostname()
}
