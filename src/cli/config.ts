import type { Context } from '../config/contexts.js'
import { DiscoError } from '../domain/errors.js'
import { connectionOf, missingPassword } from '../registry/context-options.js'
import {
  connectionFrom,
  type EtcdMembers,
  type FullPlace,
  type Given,
  membersFrom,
  placeFrom,
} from '../registry/environment.js'
import type { EtcdOptions } from '../registry/registry.js'
import type { Layers, SettingFlags } from './context/layers.js'
import { connectionContext, overVariables, underVariables } from './context/settings.js'
import { pipedPassword, sourceOf } from './flags/standard-input.js'

export type { FullPlace }

/** The members of etcd, and the flag, context or variable that names them. */
export function etcdMembers(layers: Layers): EtcdMembers {
  const context = connectionContext(layers)
  return context === null
    ? membersFrom(membersOf(layers.flags), layers.env)
    : { endpoints: context.settings.endpoints ?? [], endpointsSource: context.label }
}

/** Flags that identify the user to the endpoints. --cacert does not: it identifies the endpoints. */
const IDENTITY_FLAGS = ['user', 'password-file', 'cert', 'key'] as const

/**
 * The settings of the connection to etcd, see {@link connectionSettings}.
 *
 * @throws DiscoError as `connectionSettings`; also USAGE if the password's variable, which a context names, is not set
 */
export async function etcdOptions(layers: Layers): Promise<Given<EtcdOptions> & EtcdMembers> {
  const options = await connectionSettings(layers)
  const missing = missingContextPassword(layers)
  if (missing !== null) throw new DiscoError('USAGE', missing)
  return options
}

/** Why the password of the context is missing; null if it is not missing, or flags replace it. */
export function missingContextPassword(layers: Layers): string | null {
  const { flags, env } = layers
  const context = connectionContext(layers)
  const isReplaced = flags.user !== undefined || flags['password-file'] !== undefined
  return context === null || isReplaced ? null : missingPassword(context, env)
}

/**
 * The settings of the connection to etcd. A flag (`-C` among them) takes precedence over DISCO_*, then follow
 * ETCDCTL_*, the project file and the context in use. Credentials have the same source as the endpoints; see
 * `connectionContext`. If a context names a variable for the password and the variable is not set, there is no
 * password.
 *
 * @throws DiscoError USAGE for an invalid variable, for a password file without a user, and for credentials that would
 *   go to the endpoints of a project file
 */
export async function connectionSettings(layers: Layers): Promise<Given<EtcdOptions> & EtcdMembers> {
  const { flags, env } = layers
  const context = connectionContext(layers)
  refuseForProject(layers, context)
  const given = {
    ...(await credentialsOf(flags)),
    dialTimeoutMs: flags['dial-timeout'] ?? overVariables(layers, 'dial-timeout')?.value,
    commandTimeoutMs: flags['command-timeout'] ?? overVariables(layers, 'command-timeout')?.value,
  }
  const own = context === null ? {} : withoutReplaced(connectionOf(context, env), given)
  const connection = connectionFrom(
    context === null ? { ...membersOf(flags), ...given } : { ...own, ...definedOf(given) },
    context === null ? env : timeoutsOf(env),
  )
  const options = {
    ...connection,
    dialTimeoutMs: connection.dialTimeoutMs ?? underVariables(layers, 'dial-timeout')?.value,
    commandTimeoutMs: connection.commandTimeoutMs ?? underVariables(layers, 'command-timeout')?.value,
  }
  if (flags['password-file'] !== undefined && options.user === undefined) {
    throw new DiscoError('USAGE', '--password-file has no effect without --user')
  }
  return options
}

/** The layout and root of the keys. Their sources have the precedence that `connectionSettings` describes. */
export function placeOf(layers: Layers, defaultLayout: string): FullPlace {
  const { flags, env } = layers
  return placeFrom(
    {
      layout: flags.layout ?? overVariables(layers, 'layout')?.value,
      root: flags.root ?? overVariables(layers, 'root')?.value,
    },
    env,
    {
      layout: underVariables(layers, 'layout')?.value ?? defaultLayout,
      root: underVariables(layers, 'root')?.value ?? '',
    },
  )
}

/**
 * Refuses credentials in flags if a project file names the endpoints. The file may be part of a foreign repository:
 * credentials that the user typed for another cluster must not go to its endpoints unnoticed.
 */
function refuseForProject({ flags, project }: Layers, context: Context | null): void {
  if (context === null || context !== project) return
  const typed = IDENTITY_FLAGS.find((name) => flags[name] !== undefined)
  if (typed === undefined) return
  throw new DiscoError('USAGE', `--${typed} would go to the endpoints that ${project.file} names`, {
    suggestions: ['Give the endpoints by --endpoints, or a context with credentials by -C'],
  })
}

async function credentialsOf(flags: SettingFlags) {
  const passwordFile = flags['password-file']
  const isPiped = passwordFile?.path === '-'
  return {
    // `-` means standard input in a flag, but not in a variable or a context.
    caFile: await sourceOf(flags.cacert),
    certFile: await sourceOf(flags.cert),
    keyFile: await sourceOf(flags.key),
    user: flags.user,
    password: isPiped ? await pipedPassword(passwordFile) : undefined,
    passwordFile: isPiped ? undefined : passwordFile,
  }
}

/**
 * The settings of a context without those that flags replace. A flag for the user or the password replaces the
 * context's password, and a flag for the certificate or its key replaces both. Timeouts are left out, because `given`
 * has them.
 */
function withoutReplaced(own: Given<EtcdOptions> & EtcdMembers, given: Given<EtcdOptions>) {
  const kept: { -readonly [Name in keyof typeof own]: (typeof own)[Name] } = {
    ...own,
    dialTimeoutMs: undefined,
  }
  kept.commandTimeoutMs = undefined
  if (given.certFile !== undefined || given.keyFile !== undefined) kept.certFile = kept.keyFile = undefined
  const hasPassword = given.password !== undefined || given.passwordFile !== undefined
  if (given.user !== undefined || hasPassword) kept.password = kept.passwordFile = undefined
  return kept
}

function definedOf<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<Options>
}

/** The variables with timeouts. The others describe a cluster, and do not apply to a context. */
function timeoutsOf(env: Layers['env']): Layers['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.endsWith('_TIMEOUT')))
}

function membersOf({ endpoints }: SettingFlags): Partial<EtcdMembers> {
  return endpoints === undefined ? {} : { endpoints, endpointsSource: '--endpoints' }
}
