import { type ChannelOptions, experimental } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import { findPolicy, type NameOf, POLICIES, type Policy, type PolicyName } from '../policies/index.js'
import { OBSERVER_OPTION, type Observer } from './resolver/observer.js'
import { grpcPolicyName, lbConfigOf } from './resolver/policy-config.js'
import { checkPolicies, type ServiceConfig } from './resolver/service-config.js'

/** The load balancing of a channel. */
export interface ChannelSettings {
  /** The name of a policy, as for `disco call --policy`, or a configured policy. Default: weighted_round_robin. */
  readonly policy?: NameOf<PolicyName> | Policy
  /** Parameters of a policy that is given by its name. */
  readonly parameters?: object
  /**
   * Whether to watch the health of endpoints. `true` watches the server as a whole, a string the gRPC service of that
   * name. Default: false.
   */
  readonly health?: boolean | string
  /** Fields of grpc-js's outlier_detection, which becomes the parent of the policy; `child_policy` is added. */
  readonly outlierDetection?: object
  /** Other fields of the channel's service config, such as a `methodConfig` with a retry policy. */
  readonly serviceConfig?: ServiceConfig
  /** Receives the events of the channel. */
  readonly observer?: Observer
}

/**
 * The options of a channel that balances by one of the disco LB policies. The target may be an `etcd:` target, a `dns:`
 * target or any other. Pass the options to the client's constructor; further options may be added.
 *
 * @throws DiscoError USAGE for an unknown policy or wrong parameters, listing the valid ones; INTERNAL before `install`
 * @example
 * ```ts
 * import { Client, credentials } from '@grpc/grpc-js'
 * import { Registry } from 'disco-registry'
 * import { channelOptions, install } from 'disco-registry/grpc'
 *
 * install({ discovery: await Registry.open() })
 * const options = channelOptions({ policy: 'least_request', parameters: { choiceCount: 2 }, health: true })
 * const client = new Client('etcd:///hello', credentials.createInsecure(), options)
 * ```
 */
export function channelOptions(settings: ChannelSettings = {}): ChannelOptions {
  const { policy = POLICIES[0].name, parameters = {}, health, outlierDetection, observer } = settings
  const configured = typeof policy === 'string' ? findPolicy(policy).configure(parameters) : policy
  if (!experimental.isLoadBalancerNameRegistered(grpcPolicyName(configured))) {
    throw new DiscoError('INTERNAL', 'The disco LB policies are not known to grpc-js: call install() first')
  }
  const policyConfig = lbConfigOf(configured)
  const lbConfig = outlierDetection
    ? { outlier_detection: { ...outlierDetection, child_policy: [policyConfig] } }
    : policyConfig
  const serviceName = typeof health === 'string' ? health : ''
  const serviceConfig: ServiceConfig = {
    loadBalancingConfig: [lbConfig],
    ...(health === undefined || health === false ? {} : { healthCheckConfig: { serviceName } }),
    ...settings.serviceConfig,
  }
  checkPolicies(serviceConfig)
  return {
    'grpc.service_config': JSON.stringify(serviceConfig),
    // With a proxy from the environment (http_proxy), grpc-js would resolve the proxy's address instead of the target.
    'grpc.enable_http_proxy': 0,
    ...(observer ? { [OBSERVER_OPTION]: observer } : {}),
  }
}
