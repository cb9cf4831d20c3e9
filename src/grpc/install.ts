import { experimental } from '@grpc/grpc-js'
import type { Discovery } from '../domain/discovery.js'
import { POLICIES } from '../policies/index.js'
import { registerPolicy } from './balancer.js'
import { resolverFor } from './resolver.js'
import { SCHEME } from './target.js'

/**
 * Makes grpc-js resolve `etcd:` targets by this discovery and know our LB policies, as `disco_<name>`.
 * grpc-js keeps both process-wide: a second call replaces the discovery of channels made later.
 */
export function install({ discovery }: { discovery: Discovery }): void {
  experimental.registerResolver(SCHEME, resolverFor(discovery))
  for (const policy of POLICIES) registerPolicy(policy)
}
