import type { experimental } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import type { Policy, PolicyKind } from '../../policies/index.js'

/** Name of a policy in grpc-js; the prefix keeps it apart from grpc-js's own policies. */
export function grpcPolicyName({ name }: { readonly name: string }): string {
  return `disco_${name}`
}

/** A policy's entry in a service config's `loadBalancingConfig`. */
export function lbConfigOf(policy: Policy): Record<string, object> {
  return { [grpcPolicyName(policy)]: policy.config }
}

/** A parsed entry, as grpc-js passes it to the balancer. */
export interface PolicyConfig extends experimental.TypedLoadBalancingConfig {
  /** The policy, or why the entry is invalid. */
  readonly policy: Policy | DiscoError
}

/**
 * Creates the class that parses a policy's entries. If parsing threw, grpc-js would silently use pick_first. So an
 * invalid entry is kept with its error, and its balancer fails every call with that error.
 */
export function policyConfigOf(kind: PolicyKind) {
  /** Configs by entry: grpc-js parses the entry of a channel again for each list of endpoints. */
  const read = new WeakMap<object, Config>()
  const make = (entry: unknown): Config => {
    try {
      return new Config(kind.configure(entry))
    } catch (thrown) {
      return new Config(DiscoError.from(thrown))
    }
  }
  class Config implements PolicyConfig {
    constructor(readonly policy: Policy | DiscoError) {}

    getLoadBalancerName(): string {
      return grpcPolicyName(kind)
    }

    toJsonObject(): object {
      return this.policy instanceof DiscoError ? { [grpcPolicyName(kind)]: {} } : lbConfigOf(this.policy)
    }

    static createFromJson(entry: unknown): Config {
      if (typeof entry !== 'object' || entry === null) return make(entry)
      const config = read.get(entry) ?? make(entry)
      read.set(entry, config)
      return config
    }
  }
  return Config
}
