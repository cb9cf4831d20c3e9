import { Flags, type Interfaces } from '@oclif/core'
import { splitEndpoints } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { layoutNamed } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'
import { rootPrefix } from '../../domain/layouts/root.js'
import { type RegistryNames, readRegistryNames } from '../../domain/origins.js'
import { OUTPUTS, type Output, readOutput } from '../output/format.js'
import type { CLUSTER_FLAGS, PLACE_FLAGS, TIMEOUT_FLAGS } from './connection-names.js'
import { fileFlag, parsedBy, refuseEmpty, textFlag } from './custom.js'
import { durationFlag, waitFlag } from './duration.js'

/** The connection to etcd, under etcdctl's names. */
const etcdFlags = {
  context: Flags.custom<RegistryNames>({
    parse: parsedBy((text, flag) => readRegistryNames(refuseEmpty(text, flag), '-C')),
  })({
    char: 'C',
    helpGroup: 'ETCD',
    helpValue: 'NAME',
    description: 'a named connection, see disco context; NAME,NAME where a command reads several',
  }),
  endpoints: Flags.custom<readonly string[]>({
    parse: parsedBy((text, flag) => splitEndpoints(refuseEmpty(text, flag))),
  })({
    helpGroup: 'ETCD',
    helpValue: 'HOST:PORT,…',
    description: 'members of the etcd cluster',
  }),
  cacert: fileFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'CA that signed the members',
  }),
  cert: fileFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'client certificate',
  }),
  key: fileFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'key of the client certificate',
  }),
  user: textFlag({
    parse: parsedBy(refusePassword),
    helpGroup: 'ETCD',
    helpValue: 'NAME',
    description: 'user of etcd',
  }),
  'password-file': fileFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'file that holds the password',
  }),
  'dial-timeout': waitFlag({
    helpGroup: 'ETCD',
    helpValue: '800ms',
    description: 'limit of one try while another member is available',
  }),
  'command-timeout': waitFlag({
    helpGroup: 'ETCD',
    helpValue: '5s',
    description: 'limit of one request to etcd',
  }),
} satisfies Record<'context' | (typeof CLUSTER_FLAGS)[number] | (typeof TIMEOUT_FLAGS)[number], unknown>

export type EtcdFlags = Interfaces.InferredFlags<typeof etcdFlags>

function refusePassword(user: string, flag: string): string {
  if (!user.includes(':')) return refuseEmpty(user, flag)
  throw new DiscoError('USAGE', 'A password on the command line can be read by other users of the machine', {
    suggestions: ['Give --user NAME with --password-file FILE, or ETCDCTL_USER=NAME:PASSWORD'],
  })
}

/** The flags of every command: connection and output. */
export const baseFlags = {
  ...etcdFlags,
  output: Flags.custom<Output>({ parse: parsedBy(readOutput) })({
    char: 'o',
    helpGroup: 'OUTPUT',
    helpValue: 'FORMAT',
    description: `${OUTPUTS.join(', ')} or template='{{addr}} {{weight}}'`,
  }),
  json: Flags.boolean({ helpGroup: 'OUTPUT', description: 'same as -o json' }),
  color: Flags.boolean({
    helpGroup: 'OUTPUT',
    allowNo: true,
    default: true,
    description: 'colours on a terminal',
  }),
  debug: Flags.boolean({ helpGroup: 'OUTPUT', description: 'show stack traces of errors' }),
}

export type BaseFlags = Interfaces.InferredFlags<typeof baseFlags>

/** The location and the layout of registrations. */
export const placeFlags = {
  layout: Flags.custom<string>({ parse: parsedBy(requireLayout) })({
    helpGroup: 'REGISTRY',
    helpValue: 'NAME',
    description: 'layout of the registrations, see disco layouts; NAME=BASE for another base of the keys',
  }),
  root: Flags.custom<string>({ parse: parsedBy(requireRoot) })({
    helpGroup: 'REGISTRY',
    helpValue: 'PREFIX',
    description: 'prefix of all keys',
  }),
} satisfies Record<(typeof PLACE_FLAGS)[number], unknown>

/** Checks a layout. It stays a text, as in variables and contexts. @throws DiscoError USAGE for an unknown layout */
function requireLayout(text: string, flag: string): string {
  if (text !== AUTO) layoutNamed(text, flag)
  return text
}

/** Checks a root. It stays a text, as in variables and contexts. @throws DiscoError USAGE for control characters */
export function requireRoot(text: string, flag: string): string {
  rootPrefix(text, flag)
  return text
}

/** Flags of commands that change a registry. */
export const changeFlags = {
  yes: Flags.boolean({ description: 'change a production context without asking' }),
}

/** Flags of commands that change one or several endpoints. */
export const bulkFlags = {
  yes: Flags.boolean({ description: 'change several endpoints, or a production context, without asking' }),
  'dry-run': Flags.boolean({ description: 'show what would be changed, and change nothing' }),
}

export type ChangeFlags = Interfaces.InferredFlags<typeof changeFlags>

export type BulkFlags = Interfaces.InferredFlags<typeof bulkFlags>

export type PlaceFlags = Interfaces.InferredFlags<typeof placeFlags>

/** Flags of commands that dial: the use of the cached list while etcd is unreachable. */
export const cacheFlags = {
  cache: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'use the last good list from disk if etcd is unreachable at the start',
  }),
  'cache-max-age': durationFlag({ default: 24 * 3_600_000, description: 'maximum age of that list' }),
}

export type CacheFlags = Interfaces.InferredFlags<typeof cacheFlags>

export const versionFlag = Flags.string({ helpValue: '1.0.0', description: 'version of the service' })
