import { DiscoError } from '../domain/errors.js'
import {
  connectionFrom,
  type Environment,
  type FullPlace,
  membersFrom,
  placeFrom,
  splitEndpoints,
} from '../registry/environment.js'
import type { EtcdFlags, PlaceFlags } from './flags/base.js'
import { readText, sourceOf } from './flags/standard-input.js'

export type { FullPlace }

type EndpointsFlag = Partial<Pick<EtcdFlags, 'endpoints'>>

/** etcd's members, and the flag or variable that names them. */
export function etcdMembers(flags: EndpointsFlag, env: Environment): ReturnType<typeof membersFrom> {
  return membersFrom(membersOf(flags), env)
}

/**
 * How to reach etcd: a flag wins over DISCO_*, which wins over ETCDCTL_*, which wins over the default.
 *
 * @throws DiscoError USAGE for an invalid variable, and for a password file without a user
 */
export async function etcdOptions(
  flags: Partial<EtcdFlags>,
  env: Environment,
): Promise<ReturnType<typeof connectionFrom>> {
  const passwordFile = flags['password-file']
  const isPiped = passwordFile === '-'
  const options = connectionFrom(
    {
      ...membersOf(flags),
      // Only a flag means standard input by "-".
      caFile: await sourceOf(flags.cacert),
      certFile: await sourceOf(flags.cert),
      keyFile: await sourceOf(flags.key),
      user: flags.user,
      password: isPiped ? (await readText(passwordFile)).replace(/\r?\n$/, '') : undefined,
      passwordFile: isPiped ? undefined : passwordFile,
      dialTimeoutMs: flags['dial-timeout'],
      commandTimeoutMs: flags['command-timeout'],
    },
    env,
  )
  if (passwordFile !== undefined && options.user === undefined) {
    throw new DiscoError('USAGE', '--password-file has no effect without --user')
  }
  return options
}

/** Where registrations stand: a flag wins over DISCO_LAYOUT and DISCO_ROOT, which win over the default layout. */
export function placeOf(flags: Partial<PlaceFlags>, env: Environment, defaultLayout: string): FullPlace {
  return placeFrom({ layout: flags.layout, root: flags.root }, env, defaultLayout)
}

function membersOf({ endpoints }: EndpointsFlag): Parameters<typeof membersFrom>[0] {
  return endpoints === undefined
    ? {}
    : { endpoints: splitEndpoints(endpoints), endpointsSource: '--endpoints' }
}
