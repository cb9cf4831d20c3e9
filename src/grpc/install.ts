import { experimental } from '@grpc/grpc-js'
import type { Discovery } from '../domain/discovery.js'
import { POLICIES } from '../policies/index.js'
import { registerPolicy } from './balancer/balancer.js'
import { checkGrpcJs } from './grpc-js.js'
import { resolverFor } from './resolver/resolver.js'
import { SCHEME } from './resolver/target.js'

/**
 * Makes our LB policies known to grpc-js, as `disco_<name>`, and has it resolve `etcd:` targets by this
 * discovery, if one is given. grpc-js keeps both process-wide: a second call replaces the discovery of channels
 * made later. Where the program dials by another copy of grpc-js than disco-registry, it emits a process warning with
 * the code DISCO_TWO_GRPC_JS.
 *
 * @throws DiscoError USAGE for a grpc-js that is too old, with the version found and the version needed
 */
export function install({ discovery }: { readonly discovery?: Discovery } = {}): void {
  checkGrpcJs()
  for (const policy of POLICIES) registerPolicy(policy)
  if (discovery) experimental.registerResolver(SCHEME, resolverFor(discovery))
}
