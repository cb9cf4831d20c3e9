import { dirname, join, resolve } from 'node:path'
import { experimental } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'

/**
 * The oldest version of grpc-js that has everything in {@link USED_OF_GRPC_JS}. The range of the peer dependency starts
 * at this version.
 */
export const OLDEST_GRPC_JS = '1.14.0'

/** Functions and classes of grpc-js's `experimental` namespace that src/grpc uses. */
export const USED_OF_GRPC_JS = [
  'registerResolver',
  'createResolver',
  'uriToString',
  'registerLoadBalancerType',
  'parseLoadBalancingConfig',
  'isLoadBalancerNameRegistered',
  'createChildChannelControlHelper',
  'subchannelAddressToString',
  'statusOrFromValue',
  'statusOrFromError',
  'LeafLoadBalancer',
  'QueuePicker',
  'UnavailablePicker',
] as const satisfies readonly (keyof typeof experimental)[]

/** A copy of grpc-js that this process has loaded. */
export interface GrpcJsCopy {
  /** The folder of the package. */
  readonly folder: string
  /** Whether disco-registry uses this copy. */
  readonly isOurs: boolean
}

/**
 * Checks that grpc-js has everything in {@link USED_OF_GRPC_JS}.
 *
 * @param found grpc-js's `experimental` namespace
 * @param version the version of grpc-js; null if it is unknown
 * @throws DiscoError USAGE, with the version found and the version needed
 */
export function requireFeatures(found: Readonly<Record<string, unknown>>, version: string | null): void {
  const missing = USED_OF_GRPC_JS.filter((name) => typeof found[name] !== 'function')
  if (missing.length === 0) return
  const have = version === null ? 'the version that this program loads' : `@grpc/grpc-js ${version}`
  throw new DiscoError(
    'USAGE',
    `disco-registry needs @grpc/grpc-js ${OLDEST_GRPC_JS} or later; ${have} lacks experimental.${missing.join(', ')}`,
    { suggestions: [`npm install @grpc/grpc-js@^${OLDEST_GRPC_JS}`] },
  )
}

/**
 * The warning for a program that has loaded another copy of grpc-js than disco-registry uses. Resolvers and LB policies
 * are registered in one copy only: the other copy would dial `etcd:///hello` by DNS and balance by pick_first. A
 * further copy that only a dependency of the program has loaded is not a problem.
 *
 * @param ofProgram the folder of the copy that the program's main module resolves; null if it does not resolve grpc-js
 * @returns null if the program and disco-registry use the same copy
 */
export function twoCopies(copies: readonly GrpcJsCopy[], ofProgram: string | null): string | null {
  const ours = copies.find(({ isOurs }) => isOurs)
  const other = copies.find(({ folder, isOurs }) => folder === ofProgram && !isOurs)
  if (!ours || !other) return null
  return `Two copies of @grpc/grpc-js are loaded: disco-registry uses ${ours.folder}, this program ${other.folder}. Clients of the program's copy know neither etcd: targets nor the disco LB policies. Keep one copy: npm dedupe; npm ls @grpc/grpc-js shows why there are two`
}

/**
 * Checks the version of grpc-js in this process, before anything is registered in it, and emits a process warning if
 * the program uses another copy.
 *
 * @throws DiscoError USAGE for a version that is too old
 */
export function checkGrpcJs(): void {
  const { copies, ofProgram } = loadedGrpcJs()
  const ours = copies.find(({ isOurs }) => isOurs)
  requireFeatures(experimental, ours ? versionIn(ours.folder) : null)
  const warning = twoCopies(copies, ofProgram)
  if (warning !== null) process.emitWarning(warning, { code: 'DISCO_TWO_GRPC_JS' })
}

/**
 * Searches Node's cache of CommonJS modules, which contains grpc-js even if it was loaded by `import`. A copy of
 * grpc-js in a bundle is not in the cache.
 */
function loadedGrpcJs(): { copies: GrpcJsCopy[]; ofProgram: string | null } {
  const main = requireFrom(resolve(process.argv[1] ?? 'main.js'))
  const copies = Object.values(main.cache).flatMap((module) => {
    if (!module || !/@grpc[\\/]grpc-js[\\/]build[\\/]src[\\/]index\.js$/.test(module.filename)) return []
    const isOurs = (module.exports as { experimental?: unknown }).experimental === experimental
    return [{ folder: folderOf(module.filename), isOurs }]
  })
  return { copies, ofProgram: resolvedBy(main) }
}

function resolvedBy(main: NodeJS.Require): string | null {
  try {
    return folderOf(main.resolve('@grpc/grpc-js'))
  } catch {
    return null
  }
}

/** @param index the main file of grpc-js, `build/src/index.js` in the folder of the package */
function folderOf(index: string): string {
  return dirname(dirname(dirname(index)))
}

function versionIn(folder: string): string | null {
  try {
    return (requireFrom(join(folder, 'package.json'))('./package.json') as { version: string }).version
  } catch {
    return null
  }
}

/** Does not import node:module, because webpack would replace the imported `createRequire` by its own function. */
function requireFrom(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}
