import type { experimental } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import type { Policy, PolicyKind } from '../../policies/index.js'

/** The name of a policy in grpc-js. The prefix distinguishes it from grpc-js's own policies. */
export function grpcPolicyName({ name }: { readonly name: string }): string {
  return `disco_${name}`
}

/** A policy's entry in a service config's `loadBalancingConfig`. */
export function lbConfigOf(policy: Policy): Record<string, object> {
  return { [grpcPolicyName(policy)]: policy.config }
}

/** A parsed entry of `loadBalancingConfig`, as grpc-js passes it to the balancer. */
export interface PolicyConfig extends experimental.TypedLoadBalancingConfig {
  /** The policy, or why the entry is invalid. */
  readonly policy: Policy | DiscoError
}

/**
 * Creates the class that parses a policy's entries of `loadBalancingConfig`. If parsing threw an error, grpc-js would
 * silently use pick_first. So the result of an invalid entry contains the error, and the balancer fails every call with
 * this error.
 */
export function policyConfigOf(kind: PolicyKind) {
  /** Parsed configs by entry, because grpc-js parses the entry of a channel again for each list of endpoints. */
  const parsed = new WeakMap<object, Config>()
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
      const config = parsed.get(entry) ?? make(entry)
      parsed.set(entry, config)
      return config
    }
  }
  return Config
}
