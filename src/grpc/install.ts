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
   * Ends the use of its discovery. Channels that are created later use the discovery that was installed before, if
   * there is one. Open channels keep the discovery that they use, and policies stay registered. Idempotent.
   */
  close(): void
}

/** The discovery of one `install` call. */
interface InstalledDiscovery {
  /** Null after the installation was closed. */
  discovery: Discovery | null
  /** After the installation was closed: the discovery to use in its place; null if there is none. */
  replacement: InstalledDiscovery | null
}

/**
 * The discovery in use for new channels to `etcd:` targets. It is a module variable, because grpc-js keeps one resolver
 * per scheme for the whole process. Earlier discoveries are referenced only by the installations that would restore
 * them, so that they can be garbage-collected with these installations.
 */
let current: InstalledDiscovery | null = null

/**
 * Registers the LB policies with grpc-js, as `disco_<name>`, and a resolver for `etcd:` targets, if a discovery is
 * given. grpc-js keeps both for the whole process: a second call replaces the discovery of channels created later. If
 * the program uses another copy of grpc-js than disco-registry, `install` emits a process warning with the code
 * DISCO_TWO_GRPC_JS.
 *
 * @throws DiscoError USAGE for an unknown option, and for a version of grpc-js that is too old, with the version found
 *   and the version needed
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

/** Makes new channels use the discovery. @returns a function that restores the discovery that was in use before */
function use(discovery: Discovery): () => void {
  const installed: InstalledDiscovery = { discovery, replacement: null }
  let previous = current
  resolveBy(installed)
  return () => {
    if (installed.discovery === null) return
    installed.discovery = null
    installed.replacement = firstOpen(previous)
    previous = null
    if (current === installed) resolveBy(installed.replacement)
  }
}

/** The discovery, or if its installation was closed, the one that has replaced it. */
function firstOpen(installed: InstalledDiscovery | null): InstalledDiscovery | null {
  let found = installed
  while (found !== null && found.discovery === null) found = found.replacement
  return found
}

function resolveBy(installed: InstalledDiscovery | null): void {
  current = installed
  experimental.registerResolver(SCHEME, resolverFor(installed?.discovery ?? withoutDiscovery))
}

const OPTIONS = ['discovery', 'policies'] as const satisfies readonly (keyof InstallOptions)[]

/** Refuses unknown options at run time, for programs in JavaScript. @throws DiscoError USAGE */
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

/** Used while no discovery is installed. Its watch throws, so that calls to `etcd:` targets fail with the reason. */
export const withoutDiscovery: Discovery = {
  // biome-ignore lint/correctness/useYield: it throws before the first update
  async *watch() {
    throw new DiscoError('USAGE', 'No discovery is installed: its installation was closed', {
      suggestions: ['Call install({ discovery }) before the channel is created'],
    })
  },
}
