import type { Context } from '../config/contexts.js'
import { splitEndpoints } from '../domain/address.js'
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
import { readText, sourceOf } from './flags/standard-input.js'

export type { FullPlace }

/** etcd's members, and the flag, context or variable that names them. */
export function etcdMembers(layers: Layers): EtcdMembers {
  const context = connectionContext(layers)
  return context === null
    ? membersFrom(membersOf(layers.flags), layers.env)
    : { endpoints: context.settings.endpoints ?? [], endpointsSource: context.label }
}

/** Flags that identify the user to the endpoints. The CA does not. */
const IDENTITY_FLAGS = ['user', 'password-file', 'cert', 'key'] as const

/**
 * How to reach etcd, as {@link connectionSettings}.
 *
 * @throws DiscoError as that, and USAGE for a context's password whose variable is not set
 */
export async function etcdOptions(layers: Layers): Promise<Given<EtcdOptions> & EtcdMembers> {
  const options = await connectionSettings(layers)
  const missing = missingContextPassword(layers)
  if (missing !== null) throw new DiscoError('USAGE', missing)
  return options
}

/** Why the connection lacks the password of its context; null if it has it, or flags replace it. */
export function missingContextPassword(layers: Layers): string | null {
  const { flags, env } = layers
  const context = connectionContext(layers)
  const isReplaced = flags.user !== undefined || flags['password-file'] !== undefined
  return context === null || isReplaced ? null : missingPassword(context, env)
}

/**
 * How to reach etcd: a flag (`-C` among them) wins over DISCO_*, which wins over ETCDCTL_*, which wins over the project
 * file, which wins over the context in use. Credentials come from where the endpoints come from; see
 * `connectionContext`. A password whose variable is not set is left out.
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

/** Location of the keys, in the order of `etcdOptions`. */
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
 * A project file may be part of a foreign repository: credentials that are typed for a cluster of the user must not go
 * to its endpoints unnoticed.
 */
function refuseForProject({ flags, project }: Layers, context: Context | null): void {
  if (context === null || context !== project) return
  const typed = IDENTITY_FLAGS.find((name) => flags[name] !== undefined)
  if (typed === undefined) return
  throw new DiscoError('USAGE', `--${typed} would go to the endpoints that ${project.file} names`, {
    suggestions: [`Name the endpoints by --endpoints, or a context with credentials by -C`],
  })
}

async function credentialsOf(flags: SettingFlags) {
  const passwordFile = flags['password-file']
  const isPiped = passwordFile === '-'
  return {
    // Only a flag means standard input by "-".
    caFile: await sourceOf(flags.cacert, '--cacert'),
    certFile: await sourceOf(flags.cert, '--cert'),
    keyFile: await sourceOf(flags.key, '--key'),
    user: flags.user,
    password: isPiped ? await pipedPassword() : undefined,
    passwordFile:
      isPiped || passwordFile === undefined ? undefined : { path: passwordFile, source: '--password-file' },
  }
}

/** Credentials of a context without those that flags replace: a user goes with its password, a certificate with its key. */
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

/** With a context, only the variables that do not describe a cluster are kept. */
function timeoutsOf(env: Layers['env']): Layers['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.endsWith('_TIMEOUT')))
}

function membersOf({ endpoints }: SettingFlags): Partial<EtcdMembers> {
  return endpoints === undefined
    ? {}
    : { endpoints: splitEndpoints(endpoints), endpointsSource: '--endpoints' }
}

/** @throws DiscoError USAGE for no password, such as that of a command that failed before the pipe */
async function pipedPassword(): Promise<string> {
  const password = (await readText('-', '--password-file')).replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new DiscoError('USAGE', '--password-file - read no password: standard input is empty')
}
