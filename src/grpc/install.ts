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
  /** Resolves the `etcd:` targets of channels that are created from now on. The caller closes it. */
  readonly discovery?: Discovery
  /** Further LB policies of the program, used by `channelOptions({ policy: own.configure({}) })`. */
  readonly policies?: readonly PolicyKind[]
}

/** The result of `install`. */
export interface Installation extends AsyncDisposable {
  /**
   * Ends the use of its discovery: channels that are created later use the discovery that was installed before, if
   * there is one. Open channels keep theirs, and policies stay registered. Idempotent.
   */
  close(): void
}

/** The installed discovery; null after its installation has ended, with the discovery that replaces it. */
interface InUse {
  discovery: Discovery | null
  instead: InUse | null
}

/**
 * The discovery of `etcd:` targets: grpc-js keeps one resolver per scheme, for the whole process. Only installations
 * refer to the discovery that they would restore, so a discovery is not kept in memory without its installation.
 */
let current: InUse | null = null

/**
 * Registers the LB policies with grpc-js, as `disco_<name>`, and a resolver for `etcd:` targets, if a discovery is
 * given. grpc-js keeps both process-wide: a second call replaces the discovery of channels created later. If the
 * program dials by another copy of grpc-js than disco-registry, it emits a process warning with the code
 * DISCO_TWO_GRPC_JS.
 *
 * @throws DiscoError USAGE for an unknown option, and for a grpc-js that is too old, with the version found and the
 *   version needed
 * @example
 * ```ts
 * import { Registry } from 'disco-registry'
 * import { install } from 'disco-registry/grpc'
 *
 * install({ discovery: await Registry.open() })
 * ```
 */
export function install(options: InstallOptions = {}): Installation {
  refuseUnknown(options)
  const { discovery, policies = [] } = options
  checkGrpcJs()
  for (const policy of [...POLICIES, ...policies]) registerPolicy(policy)
  const close = discovery === undefined ? () => undefined : use(discovery)
  return { close, [Symbol.asyncDispose]: async () => close() }
}

/** Resolves targets by the discovery. @returns ends its use */
function use(discovery: Discovery): () => void {
  const own: InUse = { discovery, instead: null }
  let previous = current
  resolveBy(own)
  return () => {
    if (own.discovery === null) return
    own.discovery = null
    own.instead = lastOpen(previous)
    previous = null
    if (current === own) resolveBy(own.instead)
  }
}

function lastOpen(one: InUse | null): InUse | null {
  let found = one
  while (found !== null && found.discovery === null) found = found.instead
  return found
}

function resolveBy(one: InUse | null): void {
  current = one
  experimental.registerResolver(SCHEME, resolverFor(one?.discovery ?? withoutDiscovery))
}

const OPTIONS = ['discovery', 'policies'] as const satisfies readonly (keyof InstallOptions)[]

/** Refuses unknown options: TypeScript would, but a program may be in JavaScript. @throws DiscoError USAGE */
function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).find((name) => !(OPTIONS as readonly string[]).includes(name))
  if (unknown === undefined) return
  throw new DiscoError('USAGE', `install has no option "${unknown}"`, {
    suggestions: [
      `Options: ${OPTIONS.join(', ')}; or context, with the options of Registry.open`,
      'Or: install({ discovery: await Registry.open({ … }) })',
    ],
  })
}

/** The discovery if none is installed: channels to `etcd:` targets fail with the reason. */
export const withoutDiscovery: Discovery = {
  // biome-ignore lint/correctness/useYield: it fails before there is an update
  async *watch() {
    throw new DiscoError('USAGE', 'No discovery is installed: its installation was closed', {
      suggestions: ['Call install({ discovery }) before the channel is created'],
    })
  },
}
