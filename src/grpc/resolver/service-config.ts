import { experimental } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import { POLICIES } from '../../policies/index.js'
import { grpcPolicyName } from './policy-config.js'

/** grpc-js's own LB policies, of which a version may lack some. */
const BUILT_IN = ['pick_first', 'round_robin', 'weighted_round_robin', 'outlier_detection']

/** A service config in the JSON form that gRPC documents. grpc-js checks the other fields. */
export interface ServiceConfig {
  readonly loadBalancingConfig?: readonly unknown[]
  readonly [field: string]: unknown
}

/**
 * Checks the LB policies of a service config. grpc-js uses the first policy that it knows. If it knows none of them, or
 * cannot parse the parameters of the first, it silently uses pick_first. This function throws instead.
 *
 * @throws DiscoError USAGE for a list without a known policy, or invalid parameters
 */
export function checkPolicies({ loadBalancingConfig }: ServiceConfig): void {
  if (loadBalancingConfig === undefined) return
  const entries = Array.isArray(loadBalancingConfig) ? loadBalancingConfig : [loadBalancingConfig]
  const chosen = entries.find((entry) => experimental.isLoadBalancerNameRegistered(nameOf(entry)))
  if (chosen === undefined) {
    const names = entries.map((entry) => `"${nameOf(entry)}"`).join(', ')
    const problem =
      names === ''
        ? 'The service config lists no LB policy'
        : `Unknown LB policy in the service config: ${names}`
    throw new DiscoError('USAGE', problem, {
      suggestions: [`LB policies: ${knownNames().join(', ')}`],
    })
  }
  requireReadable(parse(chosen))
}

/** Throws the error that `policyConfigOf` has kept for an invalid disco policy. grpc-js throws for its own policies. */
function requireReadable(config: object): void {
  if ('policy' in config && config.policy instanceof DiscoError) throw config.policy
  // The config of a parent policy, such as outlier_detection.
  if ('getChildPolicy' in config && typeof config.getChildPolicy === 'function') {
    requireReadable(config.getChildPolicy())
  }
}

function parse(entry: Parameters<typeof experimental.parseLoadBalancingConfig>[0]): object {
  try {
    return experimental.parseLoadBalancingConfig(entry)
  } catch (cause) {
    throw new DiscoError('USAGE', `The service config's LB policy: ${(cause as Error).message}`, {
      cause,
      suggestions: [`LB policies: ${knownNames().join(', ')}`],
    })
  }
}

function nameOf(entry: unknown): string {
  return typeof entry === 'object' && entry !== null ? (Object.keys(entry)[0] ?? '') : String(entry)
}

function knownNames(): string[] {
  const ours = POLICIES.map(grpcPolicyName)
  return [...ours, ...BUILT_IN].filter((name) => experimental.isLoadBalancerNameRegistered(name))
}
