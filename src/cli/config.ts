import { DiscoError } from '../domain/errors.js'
import type { RegistryOptions } from '../registry/registry.js'
import type { EtcdFlags, PlaceFlags } from './flags/base.js'
import { invalidValue } from './flags/custom.js'
import { DURATION, readDurationMs } from './flags/duration.js'
import { readText, sourceOf } from './flags/standard-input.js'

const DEFAULT_ENDPOINTS = '127.0.0.1:2379'

type Environment = Readonly<Record<string, string | undefined>>

/** etcd's members, and the flag or variable that names them. */
export function etcdMembers(
  { endpoints }: Partial<Pick<EtcdFlags, 'endpoints'>>,
  env: Environment,
): Pick<RegistryOptions, 'endpoints'> & { readonly endpointsSource: string } {
  const [text, endpointsSource] =
    endpoints === undefined
      ? (variable('endpoints', env) ?? [DEFAULT_ENDPOINTS, 'the default'])
      : [endpoints, '--endpoints']
  return { endpoints: text.split(',').filter((endpoint) => endpoint.trim() !== ''), endpointsSource }
}

/**
 * How to reach etcd: a flag wins over DISCO_*, which wins over ETCDCTL_*, which wins over the default.
 *
 * @throws DiscoError USAGE for an invalid variable, and for a password file without a user
 */
export async function etcdOptions(flags: Partial<EtcdFlags>, env: Environment): Promise<RegistryOptions> {
  const textOf = (name: string) => variable(name, env)?.[0]
  const [user, passwordOfUser] = splitOnce(flags.user ?? textOf('user'))
  const passwordFile = flags['password-file']
  if (passwordFile !== undefined && user === undefined) {
    throw new DiscoError('USAGE', '--password-file has no effect without --user')
  }
  const isPiped = passwordFile === '-'
  const password = isPiped ? (await readText(passwordFile)).replace(/\r?\n$/, '') : textOf('password')
  // Only a flag means standard input by "-".
  const fileOf = async (name: 'cacert' | 'cert' | 'key') => (await sourceOf(flags[name])) ?? textOf(name)
  return {
    ...etcdMembers(flags, env),
    caFile: await fileOf('cacert'),
    certFile: await fileOf('cert'),
    keyFile: await fileOf('key'),
    user,
    password: password ?? passwordOfUser,
    passwordFile: isPiped ? undefined : passwordFile,
    dialTimeoutMs: flags['dial-timeout'] ?? durationMs('dial-timeout', env),
    commandTimeoutMs: flags['command-timeout'] ?? durationMs('command-timeout', env),
  }
}

/** Layout and root of the keys, both given. */
export interface Place {
  readonly layout: string
  readonly root: string
}

/** Where registrations stand: a flag wins over DISCO_LAYOUT and DISCO_ROOT, which win over the default layout. */
export function placeOf(flags: Partial<PlaceFlags>, env: Environment, defaultLayout: string): Place {
  return {
    layout: flags.layout ?? (env.DISCO_LAYOUT || defaultLayout),
    root: flags.root ?? env.DISCO_ROOT ?? '',
  }
}

/** The variable that stands in for a flag: its text and its name. An empty variable counts as unset. */
function variable(flag: string, env: Environment): readonly [text: string, name: string] | undefined {
  const suffix = flag.toUpperCase().replaceAll('-', '_')
  for (const name of [`DISCO_${suffix}`, `ETCDCTL_${suffix}`]) {
    const text = env[name]
    if (text) return [text, name]
  }
  return undefined
}

/** @throws DiscoError USAGE that names the variable */
function durationMs(flag: string, env: Environment): number | undefined {
  const [text, name] = variable(flag, env) ?? []
  if (text === undefined || name === undefined) return undefined
  const ms = readDurationMs(text)
  if (ms === undefined) throw invalidValue(name, text, DURATION)
  return ms
}

function splitOnce(userAndPassword: string | undefined): [string | undefined, string | undefined] {
  const colon = userAndPassword?.indexOf(':') ?? -1
  if (colon < 0) return [userAndPassword, undefined]
  return [userAndPassword?.slice(0, colon), userAndPassword?.slice(colon + 1)]
}
