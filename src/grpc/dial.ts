import { type ChannelOptions, Client, credentials, experimental } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import type { Policy } from '../policies/index.js'
import { grpcPolicyName } from './balancer.js'
import { OBSERVER_OPTION, type Observer } from './observer.js'
import { targetOf } from './target.js'

export type { Client }

/** The options of a channel under one of our policies. @throws DiscoError INTERNAL before `install` */
export function channelOptions(policy: Policy): ChannelOptions {
  const name = grpcPolicyName(policy)
  // grpc-js falls back to pick_first, without a word, for a policy that it does not know.
  if (!experimental.isLoadBalancerNameRegistered(name)) {
    throw new DiscoError('INTERNAL', `The LB policy ${name} is not known to grpc-js: call install() first`)
  }
  return {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [name]: {} }] }),
    // A proxy in the environment would turn the target into the proxy's own.
    'grpc.enable_http_proxy': 0,
  }
}

/** A client of a registered service; connects at once. Close it. */
export function dial(service: string, policy: Policy, observer: Observer): Client {
  const options = { ...channelOptions(policy), [OBSERVER_OPTION]: observer }
  const client = new Client(targetOf(service), credentials.createInsecure(), options)
  client.getChannel().getConnectivityState(true)
  return client
}
