import { type ChannelOptions, experimental } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import type { Policy } from '../policies/index.js'
import { grpcPolicyName, lbConfigOf } from './policy-config.js'

/** The options of a channel under one of our policies. @throws DiscoError INTERNAL before `install` */
export function channelOptions(policy: Policy): ChannelOptions {
  const name = grpcPolicyName(policy)
  // grpc-js falls back to pick_first, without a word, for a policy that it does not know.
  if (!experimental.isLoadBalancerNameRegistered(name)) {
    throw new DiscoError('INTERNAL', `The LB policy ${name} is not known to grpc-js: call install() first`)
  }
  return {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [lbConfigOf(policy)] }),
    // A proxy in the environment would turn the target into the proxy's own.
    'grpc.enable_http_proxy': 0,
  }
}
