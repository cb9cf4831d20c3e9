import { experimental } from '@grpc/grpc-js'
import type { Discovery } from '../domain/discovery.js'
import { DiscoError } from '../domain/errors.js'
import { POLICIES, type PolicyKind } from '../policies/index.js'
import { registerPolicy } from './balancer/balancer.js'
import { checkGrpcJs } from './grpc-js.js'
import { resolverFor } from './resolver/resolver.js'
import { SCHEME } from './resolver/target.js'

/** Options of {@link install}. */
export interface InstallOptions {
  /** Resolves the `etcd:` targets of channels that are made from now on. The caller closes it. */
  readonly discovery?: Discovery
  /** LB policies of the program's own, to be used as `channelOptions({ policy: own.configure({}) })`. */
  readonly policies?: readonly PolicyKind[]
}

/** The result of `install`. */
export interface Installation extends AsyncDisposable {
  /**
   * Ends the use of its discovery: `etcd:` targets of channels that are made later are resolved by the discovery that was
   * installed before, if there is one. Open channels keep theirs, and policies stay known. Idempotent.
   */
  close(): void
}

/** Discoveries in use, the current one last. grpc-js keeps one resolver for a scheme, for the whole process. */
const installed: Discovery[] = []

/**
 * Registers our LB policies with grpc-js, as `disco_<name>`, and a resolver for `etcd:` targets, if a discovery is given.
 * grpc-js keeps both process-wide: a second call replaces the discovery of channels created later. If the program dials by
 * another copy of grpc-js than disco-registry, it emits a process warning with the code DISCO_TWO_GRPC_JS.
 *
 * @throws DiscoError USAGE for a grpc-js that is too old, with the version found and the version needed
 * @example
 * ```ts
 * import { Registry } from 'disco-registry'
 * import { install } from 'disco-registry/grpc'
 *
 * install({ discovery: await Registry.open() })
 * ```
 */
export function install({ discovery, policies = [] }: InstallOptions = {}): Installation {
  checkGrpcJs()
  for (const policy of [...POLICIES, ...policies]) registerPolicy(policy)
  if (discovery) {
    installed.push(discovery)
    resolveByLast()
  }
  let isOpen = discovery !== undefined
  const close = () => {
    if (isOpen) {
      isOpen = false
      installed.splice(installed.lastIndexOf(discovery as Discovery), 1)
      resolveByLast()
    }
  }
  return { close, [Symbol.asyncDispose]: async () => close() }
}

function resolveByLast(): void {
  experimental.registerResolver(SCHEME, resolverFor(installed.at(-1) ?? withoutDiscovery))
}

/** Stands where no discovery is installed: channels to `etcd:` targets fail with the reason. */
export const withoutDiscovery: Discovery = {
  // biome-ignore lint/correctness/useYield: it fails before there is an update
  async *watch() {
    throw new DiscoError('USAGE', 'No discovery is installed: its installation was closed', {
      suggestions: ['Call install({ discovery }) before the channel is made'],
    })
  },
}
