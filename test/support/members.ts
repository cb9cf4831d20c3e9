import { endpointId } from '../../src/domain/endpoint.js'
import { parseOrigins } from '../../src/domain/origins.js'
import type { Member } from '../../src/grpc/balancer/member.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import { endpoint } from './endpoints.js'

export type MemberState = 'ready' | 'coming' | 'failing'

/** A member of a rotation whose state a test sets. */
export class FakeMember implements Member {
  state: MemberState = 'coming'
  readonly problem = null
  readonly outstanding = { count: 0 }
  readonly rank = 0
  endpoint: RegisteredEndpoint

  constructor(
    readonly name: string,
    fields: Parameters<typeof endpoint>[0] = {},
  ) {
    const registration = endpoint({ addr: name, ...fields })
    this.endpoint = { addresses: [], id: endpointId(registration), registration, weight: registration.weight }
  }

  get isReady(): boolean {
    return this.state === 'ready'
  }

  get isFailing(): boolean {
    return this.state === 'failing'
  }

  get names(): readonly string[] {
    return [this.name]
  }
}

/** Makes fake members for the registries in a plan such as `dc1,dc2`. */
export function membersOf(from: string): (registry: string, name: string, weight?: number) => FakeMember {
  const origins = new Map(parseOrigins(from).map((origin) => [origin.registry, origin]))
  return (registry, name, weight = 1) => {
    const origin = origins.get(registry)
    if (!origin) throw new Error(`no registry ${registry}`)
    return new FakeMember(name, { weight, origin })
  }
}
