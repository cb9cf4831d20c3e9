import { Flags } from '@oclif/core'
import { fileName, oneOf } from './custom.js'

/** What every command takes: where etcd is, as etcdctl names it, and how to print. */
export const baseFlags = {
  endpoints: Flags.string({
    helpGroup: 'ETCD',
    helpValue: 'HOST:PORT,…',
    description: 'members of the etcd cluster',
  }),
  cacert: Flags.string({
    parse: fileName,
    helpGroup: 'ETCD',
    helpValue: 'FILE',
    description: 'CA that signed the members',
  }),
  cert: Flags.string({
    parse: fileName,
    helpGroup: 'ETCD',
    helpValue: 'FILE',
    description: 'client certificate',
  }),
  key: Flags.string({
    parse: fileName,
    helpGroup: 'ETCD',
    helpValue: 'FILE',
    description: 'key of the client certificate',
  }),
  user: Flags.string({ helpGroup: 'ETCD', helpValue: 'NAME', description: 'user of etcd' }),
  'password-file': Flags.string({
    helpGroup: 'ETCD',
    helpValue: 'FILE',
    description: 'file that holds the password; - for standard input',
  }),
  'dial-timeout': Flags.string({
    helpGroup: 'ETCD',
    helpValue: '800ms',
    description: 'how long one member may stay mute while another could be asked',
  }),
  'command-timeout': Flags.string({
    helpGroup: 'ETCD',
    helpValue: '5s',
    description: 'how long one request may take',
  }),
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

export interface EtcdFlags {
  readonly endpoints?: string | undefined
  readonly cacert?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly user?: string | undefined
  readonly 'password-file'?: string | undefined
  readonly 'dial-timeout'?: string | undefined
  readonly 'command-timeout'?: string | undefined
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
    description: 'what stands before all keys',
  }),
}

export interface PlaceFlags {
  readonly layout?: string | undefined
  readonly root?: string | undefined
}

/** For commands that dial: what they may do while etcd is away. */
export const cacheFlags = {
  cache: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'use the last good list, from disk, where etcd is out of reach at the start',
  }),
  'cache-max-age': Flags.string({
    default: '24h',
    helpValue: '<duration>',
    description: 'how old that list may be',
  }),
}

export const versionFlag = Flags.string({ helpValue: '1.0.0', description: 'version of the service' })
