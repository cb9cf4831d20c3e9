import { hostname, networkInterfaces } from 'node:os'
import type { Environment, Policy } from '../../policies/index.js'
import { Rotation as PolicyRotation } from '../../policies/rotation.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { Member } from './member.js'

/** The rotation of a channel, or of a service of the proxy. */
export class Rotation<One extends Member> extends PolicyRotation<RegisteredEndpoint, One> {
  constructor(policy: Policy) {
    super(policy, ENVIRONMENT)
  }
}

/** Inputs of a policy over members. */
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

/** Identity of this client: its first address that is not loopback, or its host name. */
export function ownName(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.find(({ internal }) => !internal)?.address ?? hostname()
}
