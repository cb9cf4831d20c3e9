import { text } from 'node:stream/consumers'
import { withoutMark } from '../domain/byte-order-mark.js'
import { DiscoError } from '../domain/errors.js'
import type { RegistryOptions } from '../registry/registry.js'
import type { EtcdFlags, PlaceFlags } from './flags/base.js'
import { parseDurationMs } from './flags/duration.js'

const DEFAULT_ENDPOINTS = '127.0.0.1:2379'

type Environment = Readonly<Record<string, string | undefined>>

/** A value and where it was said. */
interface Setting {
  readonly value: string
  readonly source: string
}

/** etcd's members, and where they were named. @throws DiscoError USAGE for an empty flag */
export function etcdMembers(
  flags: Pick<EtcdFlags, 'endpoints'>,
  env: Environment,
): Pick<RegistryOptions, 'endpoints'> & { readonly endpointsSource: string } {
  const { value, source } = setting('endpoints', flags.endpoints, env) ?? {
    value: DEFAULT_ENDPOINTS,
    source: 'the default',
  }
  return {
    endpoints: value.split(',').filter((endpoint) => endpoint.trim() !== ''),
    endpointsSource: source,
  }
}

/** How to reach etcd: a flag wins over DISCO_*, which wins over ETCDCTL_*, which wins over the default. */
export async function etcdOptions(flags: EtcdFlags, env: Environment): Promise<RegistryOptions> {
  if (flags.user?.includes(':')) {
    throw new DiscoError('USAGE', 'A password on the command line is seen by everyone on the machine', {
      suggestions: ['Give --user NAME with --password-file FILE, or ETCDCTL_USER=NAME:PASSWORD'],
    })
  }
  const [user, passwordOfUser] = splitOnce(setting('user', flags.user, env)?.value)
  const passwordFile = flags['password-file']
  if (passwordFile === '') throw new DiscoError('USAGE', '--password-file is empty')
  if (passwordFile !== undefined && user === undefined) {
    throw new DiscoError('USAGE', '--password-file has no effect without --user')
  }
  const isPiped = passwordFile === '-'
  const password = isPiped ? await readPipedSecret() : setting('password', undefined, env)?.value
  return {
    ...etcdMembers(flags, env),
    caFile: setting('cacert', flags.cacert, env)?.value,
    certFile: setting('cert', flags.cert, env)?.value,
    keyFile: setting('key', flags.key, env)?.value,
    user,
    password: password ?? passwordOfUser,
    passwordFile: isPiped ? undefined : passwordFile,
    dialTimeoutMs: durationMs('dial-timeout', flags, env),
    commandTimeoutMs: durationMs('command-timeout', flags, env),
  }
}

/** A place that leaves nothing open. */
export interface SaidPlace {
  readonly layout: string
  readonly root: string
}

/** Where registrations stand: a flag wins over DISCO_LAYOUT and DISCO_ROOT. @param layout where nothing is said */
export function placeOf(flags: PlaceFlags, env: Environment, layout: string): SaidPlace {
  return {
    layout: flags.layout ?? (env.DISCO_LAYOUT || layout),
    root: flags.root ?? env.DISCO_ROOT ?? '',
  }
}

/**
 * A flag that is empty is an error: often a shell variable that is not set, and the variables that come next may name
 * another cluster. An empty variable counts as unset.
 *
 * @throws DiscoError USAGE
 */
function setting(name: string, flag: string | undefined, env: Environment): Setting | undefined {
  if (flag === '') throw new DiscoError('USAGE', `--${name} is empty`)
  const suffix = name.toUpperCase().replaceAll('-', '_')
  const candidates: [string | undefined, string][] = [
    [flag, `--${name}`],
    [env[`DISCO_${suffix}`], `DISCO_${suffix}`],
    [env[`ETCDCTL_${suffix}`], `ETCDCTL_${suffix}`],
  ]
  for (const [value, source] of candidates) if (value) return { value, source }
  return undefined
}

function durationMs(
  name: 'dial-timeout' | 'command-timeout',
  flags: EtcdFlags,
  env: Environment,
): number | undefined {
  const said = setting(name, flags[name], env)
  return said && parseDurationMs(said.value)
}

function splitOnce(userAndPassword: string | undefined): [string | undefined, string | undefined] {
  const colon = userAndPassword?.indexOf(':') ?? -1
  if (colon < 0) return [userAndPassword, undefined]
  return [userAndPassword?.slice(0, colon), userAndPassword?.slice(colon + 1)]
}

/** Standard input can be read once: this password stays what it is. */
async function readPipedSecret(): Promise<string> {
  try {
    return withoutMark(await text(process.stdin)).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read the password file: ${(cause as Error).message}`, { cause })
  }
}
