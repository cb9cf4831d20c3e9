import { dirname, join, resolve } from 'node:path'
import { experimental } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'

/**
 * The oldest version with all parts of the experimental interface that are used here; the peer dependency begins
 * there.
 */
export const OLDEST_GRPC_JS = '1.14.0'

/** Functions and classes of grpc-js's experimental interface that src/grpc uses. */
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
  /** The folder of its package. */
  readonly folder: string
  /** Whether disco-registry uses this copy. */
  readonly isOurs: boolean
}

/** Checks that grpc-js has all used parts. @throws DiscoError USAGE, with the version found and the version needed */
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
 * The problem of a program that resolves another copy of grpc-js than disco-registry, and has loaded it: resolvers
 * and LB policies registered in one copy are unknown to the other, which would dial `etcd:///hello` by DNS and
 * balance by pick_first. Null without a problem. A copy that only some dependency has loaded does no harm.
 *
 * @param ofProgram the folder of the copy that the program's main module resolves; null if it resolves none
 */
export function twoCopies(copies: readonly GrpcJsCopy[], ofProgram: string | null): string | null {
  const ours = copies.find(({ isOurs }) => isOurs)
  const other = copies.find(({ folder, isOurs }) => folder === ofProgram && !isOurs)
  if (!ours || !other) return null
  return `Two copies of @grpc/grpc-js are loaded: disco-registry uses ${ours.folder}, this program ${other.folder}. Clients of the program's copy know neither etcd: targets nor the disco LB policies. Keep one copy: npm dedupe; npm ls @grpc/grpc-js shows why there are two`
}

/**
 * Checks the grpc-js of this process before anything is registered in it.
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
 * Searches Node's cache of CommonJS modules, which includes an imported grpc-js. A bundle that contains grpc-js has
 * no copy there.
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

/** Not imported from node:module: webpack replaces its createRequire by its own. */
function requireFrom(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}
