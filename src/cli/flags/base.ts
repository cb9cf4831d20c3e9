import { Flags, type Interfaces } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { oneOf, parsedBy, refuseEmpty, textFlag } from './custom.js'
import { durationFlag, waitFlag } from './duration.js'

/** The connection to etcd, in etcdctl's words. */
const etcdFlags = {
  context: textFlag({
    char: 'C',
    helpGroup: 'ETCD',
    helpValue: 'NAME',
    description: 'a named connection: see disco context',
  }),
  endpoints: textFlag({
    helpGroup: 'ETCD',
    helpValue: 'HOST:PORT,…',
    description: 'members of the etcd cluster',
  }),
  cacert: textFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'CA that signed the members',
  }),
  cert: textFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'client certificate',
  }),
  key: textFlag({
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
  'password-file': textFlag({
    helpGroup: 'ETCD',
    helpValue: 'FILE|-',
    description: 'file that holds the password',
  }),
  'dial-timeout': waitFlag({
    helpGroup: 'ETCD',
    helpValue: '800ms',
    description: 'how long one member may stay mute while another could be asked',
  }),
  'command-timeout': waitFlag({
    helpGroup: 'ETCD',
    helpValue: '5s',
    description: 'how long one request may take',
  }),
}

export type EtcdFlags = Interfaces.InferredFlags<typeof etcdFlags>

function refusePassword(user: string, flag: string): string {
  if (!user.includes(':')) return refuseEmpty(user, flag)
  throw new DiscoError('USAGE', 'A password on the command line is seen by everyone on the machine', {
    suggestions: ['Give --user NAME with --password-file FILE, or ETCDCTL_USER=NAME:PASSWORD'],
  })
}

/** The flags of every command: where etcd is, and how to print. */
export const baseFlags = {
  ...etcdFlags,
  output: Flags.custom<'table' | 'wide' | 'json' | 'ndjson' | 'name'>(
    oneOf(['table', 'wide', 'json', 'ndjson', 'name']),
  )({
    char: 'o',
    helpGroup: 'OUTPUT',
    description: 'how to print',
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

/** Where registrations stand, and how they are written there. */
export const placeFlags = {
  layout: Flags.string({
    helpGroup: 'REGISTRY',
    helpValue: 'NAME',
    description: 'whose registrations: see disco layouts; NAME=BASE where their keys begin otherwise',
  }),
  root: Flags.string({
    helpGroup: 'REGISTRY',
    helpValue: 'PREFIX',
    description: 'prefix of all keys',
  }),
}

/** For commands that change a registry. */
export const changeFlags = {
  yes: Flags.boolean({ description: 'change a production context without asking' }),
}

export type PlaceFlags = Interfaces.InferredFlags<typeof placeFlags>

/** For commands that dial: the use of the cached list while etcd is unreachable. */
export const cacheFlags = {
  cache: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'use the last good list, from disk, where etcd is out of reach at the start',
  }),
  'cache-max-age': durationFlag({ default: 24 * 3_600_000, description: 'how old that list may be' }),
}

export type CacheFlags = Interfaces.InferredFlags<typeof cacheFlags>

export const versionFlag = Flags.string({ helpValue: '1.0.0', description: 'version of the service' })
