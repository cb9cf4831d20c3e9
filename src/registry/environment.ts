import { splitEndpoints } from '../domain/address.js'
import { expectedDuration, readDurationMs, timerDelay } from '../domain/duration.js'
import { DiscoError, invalidValue } from '../domain/errors.js'
import type { NamedFile } from '../domain/file-source.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../domain/layouts/index.js'
import { AUTO, type Place } from '../domain/layouts/reader.js'
import { rootPrefix } from '../domain/layouts/root.js'
import type { EtcdOptions } from '../etcd/options.js'

const DEFAULT_ENDPOINTS = '127.0.0.1:2379'

export type Environment = Readonly<Record<string, string | undefined>>

/** The members of a cluster, and the setting that they come from. */
export type EtcdMembers = Pick<EtcdOptions, 'endpoints' | 'endpointsSource'>

/** Settings from the caller; each takes precedence over its variables. */
export type Given<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined }

/** Layout and root of the keys. */
export type FullPlace = { readonly [Name in keyof Place]-?: string }

/** The members of etcd: given ones, or else from DISCO_ENDPOINTS, ETCDCTL_ENDPOINTS or the default, in this order. */
export function membersFrom(
  { endpoints, endpointsSource = 'the options' }: Given<EtcdMembers>,
  env: Environment,
): EtcdMembers {
  if (endpoints !== undefined) return { endpoints, endpointsSource }
  const [text, source] = variable('endpoints', env) ?? [DEFAULT_ENDPOINTS, 'the default']
  return { endpoints: splitEndpoints(text), endpointsSource: source }
}

const CREDENTIAL_SETTINGS = ['CACERT', 'CERT', 'KEY', 'USER', 'PASSWORD'] as const

/**
 * Omits the variables that may have credentials for another cluster or user: ETCDCTL_* if ETCDCTL_ENDPOINTS and
 * DISCO_ENDPOINTS differ, and the password variable whose prefix differs from that of the user variable.
 *
 * @param namesEndpoints whether the endpoints come from variables
 */
export function countedVariables(env: Environment, namesEndpoints: boolean): Environment {
  const isOther = namesEndpoints && differ(env.DISCO_ENDPOINTS, env.ETCDCTL_ENDPOINTS)
  const left = isOther ? ['ENDPOINTS', ...CREDENTIAL_SETTINGS].map((name) => `ETCDCTL_${name}`) : []
  const counted = without(env, left)
  const [, user] = variable('user', counted) ?? []
  if (user === undefined) return counted
  return without(counted, [user === 'DISCO_USER' ? 'ETCDCTL_PASSWORD' : 'DISCO_PASSWORD'])
}

function differ(one: string | undefined, other: string | undefined): boolean {
  if (!one || !other) return false
  return splitEndpoints(one).sort().join() !== splitEndpoints(other).sort().join()
}

function without(env: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
}

/**
 * Connection to etcd. The first of these counts: a given setting, DISCO_*, ETCDCTL_*, the default. An empty variable
 * counts as unset. For credentials see {@link countedVariables}.
 *
 * @throws DiscoError USAGE that names the variable
 */
export function connectionFrom(
  given: Given<EtcdOptions>,
  all: Environment,
): Given<EtcdOptions> & EtcdMembers {
  const env = countedVariables(all, given.endpoints === undefined)
  const textOf = (name: string) => variable(name, env)?.[0]
  const [user, passwordOfUser] = given.user === undefined ? splitUser(textOf('user')) : [given.user]
  if (given.certFile === undefined && given.keyFile === undefined) requireBoth('cert', 'key', env)
  return {
    ...membersFrom(given, env),
    caFile: given.caFile ?? fileIn('cacert', env),
    certFile: given.certFile ?? fileIn('cert', env),
    keyFile: given.keyFile ?? fileIn('key', env),
    user,
    password: given.password ?? textOf('password') ?? passwordOfUser,
    passwordFile: given.passwordFile,
    dialTimeoutMs: given.dialTimeoutMs ?? durationMs('dial-timeout', env),
    commandTimeoutMs: given.commandTimeoutMs ?? durationMs('command-timeout', env),
  }
}

/** Location of the keys. The first of these counts: a given setting, DISCO_LAYOUT or DISCO_ROOT, `otherwise`. */
export function placeFrom(given: Place, env: Environment, otherwise: FullPlace): FullPlace {
  return {
    layout: given.layout ?? layoutIn(env) ?? otherwise.layout,
    root: given.root ?? rootIn(env) ?? otherwise.root,
  }
}

export const CREDENTIALS = ['caFile', 'certFile', 'keyFile', 'user', 'password', 'passwordFile'] as const

/**
 * The options of a program, completed from the environment as for the tool. With the option `endpoints`, the
 * environment is ignored, so that its password is not sent to another cluster.
 *
 * @throws DiscoError USAGE for credentials without endpoints, and for an invalid variable; the message names the variable
 */
export function withEnvironment<Options extends Given<EtcdOptions> & Place>(
  options: Options,
  env: Environment,
): Options & EtcdMembers {
  const { endpoints } = options
  if (endpoints !== undefined) {
    const endpointsSource = options.endpointsSource ?? 'the option endpoints'
    return { ...options, endpoints, endpointsSource }
  }
  const credential = CREDENTIALS.find((name) => options[name] !== undefined)
  if (credential !== undefined) {
    throw new DiscoError('USAGE', `The option ${credential} is given without the option endpoints`, {
      suggestions: ['Give both in the program, or both by the environment: DISCO_* or ETCDCTL_*'],
    })
  }
  const place = placeFrom(options, env, { layout: DEFAULT_LAYOUT.name, root: '' })
  return { ...options, ...place, ...connectionFrom(options, env) }
}

/** The file that a variable names. @throws DiscoError USAGE for `-`, which means standard input only in a flag */
function fileIn(setting: string, env: Environment): NamedFile | undefined {
  const [path, source] = variable(setting, env) ?? []
  if (path === undefined || source === undefined) return undefined
  if (path !== '-') return { path, source }
  throw new DiscoError('USAGE', `${source} is "-": a variable names a file, not standard input`, {
    suggestions: [`Standard input: --${setting} -`, `A file of that name: ${source}=./-`],
  })
}

/** The first variable of a setting that is set: its text and its name. */
export function variable(
  setting: string,
  env: Environment,
): readonly [text: string, name: string] | undefined {
  const name = namesOf(setting).find((known) => env[known])
  return name === undefined ? undefined : [env[name] ?? '', name]
}

function namesOf(setting: string): readonly [disco: string, etcdctl: string] {
  const suffix = setting.toUpperCase().replaceAll('-', '_')
  return [`DISCO_${suffix}`, `ETCDCTL_${suffix}`]
}

function durationMs(setting: string, env: Environment): number | undefined {
  const [text, name] = variable(setting, env) ?? []
  if (text === undefined || name === undefined) return undefined
  const ms = timerDelay(readDurationMs(text))
  if (ms !== undefined) return ms
  throw invalidValue(name, text, expectedDuration(text))
}

/** @throws DiscoError USAGE if one of two variables that need each other is set alone */
function requireBoth(one: string, other: string, env: Environment): void {
  for (const [set, unset] of [
    [one, other],
    [other, one],
  ] as const) {
    const [, name] = variable(set, env) ?? []
    if (name === undefined || variable(unset, env)) continue
    throw new DiscoError('USAGE', `${name} is set, but neither ${namesOf(unset).join(' nor ')} is`, {
      suggestions: ['A client certificate needs its key'],
    })
  }
}

function layoutIn({ DISCO_LAYOUT: layout }: Environment): string | undefined {
  if (!layout) return undefined
  if (layout !== AUTO) layoutNamed(layout, 'DISCO_LAYOUT')
  return layout
}

function rootIn({ DISCO_ROOT: root }: Environment): string | undefined {
  if (!root) return undefined
  rootPrefix(root, 'DISCO_ROOT')
  return root
}

/** `NAME:PASSWORD`, as in etcdctl; the password may contain colons. */
function splitUser(text: string | undefined): [user?: string | undefined, password?: string | undefined] {
  const colon = text?.indexOf(':') ?? -1
  return colon < 0 ? [text] : [text?.slice(0, colon), text?.slice(colon + 1)]
}
