import type { CLUSTER_FLAGS, TIMEOUT_FLAGS } from '../flags/connection-names.js'

/** The names of a variable, and its meaning. The first name that is set takes precedence. */
export type Variable = readonly [names: string, meaning: string]

/** A password has no flag, and a variable instead of a file. */
type EtcdSetting =
  | Exclude<(typeof CLUSTER_FLAGS)[number], 'password-file'>
  | (typeof TIMEOUT_FLAGS)[number]
  | 'password'

/** Settings of the etcd connection that have variables, by flag; see `connectionFrom`. */
const OF_ETCD = {
  endpoints: 'members of the etcd cluster, separated by commas',
  user: 'user of etcd, as NAME or NAME:PASSWORD',
  password: 'password of the user; there is no flag, since lists of processes show flags',
  cacert: 'file with the CA that signed the members',
  cert: 'file with the client certificate',
  key: 'file with the key of the client certificate',
  'dial-timeout': 'limit of one try while another member is available',
  'command-timeout': 'limit of one request to etcd',
} satisfies Record<EtcdSetting, string>

const ETCD: readonly Variable[] = Object.entries(OF_ETCD).map(([flag, meaning]) => {
  const name = flag.toUpperCase().replaceAll('-', '_')
  return [`DISCO_${name}, ETCDCTL_${name}`, meaning] as const
})

const PLACE: readonly Variable[] = [
  ['DISCO_LAYOUT', 'layout of the registrations, as --layout'],
  ['DISCO_ROOT', 'prefix of all keys, as --root'],
]

const LISTS: Variable = ['XDG_CACHE_HOME', 'folder of the cached lists; ~/.cache if unset or relative']

const TIMES: Variable = [
  'XDG_CACHE_HOME',
  'folder of the recorded times of revisions; ~/.cache if unset or relative',
]

const CONTEXTS: Variable = [
  'XDG_CONFIG_HOME',
  'folder of disco/config.yaml, the file of contexts; ~/.config without it, or where it is relative',
]

const OUTPUT: readonly Variable[] = [
  ['NO_COLOR', 'no colours if not empty'],
  ['FORCE_COLOR', 'colours even without a terminal; 0 or false: no colours'],
  ['TERM', 'dumb: no colours, and no table that repaints'],
]

/** All variables that the tool reads. */
export const VARIABLES: readonly Variable[] = [
  ...ETCD,
  ...PLACE,
  ...OUTPUT,
  ['XDG_CACHE_HOME', 'folder of cached lists, times, completions and code; ~/.cache if unset or relative'],
  CONTEXTS,
  ['NODE_DISABLE_COMPILE_CACHE', 'no cache of compiled code if not empty'],
]

/** Commands that do not connect to the etcd named by flags and variables. */
const WITHOUT_ETCD: readonly string[] = ['completion', 'dev', 'help', 'verdict', 'version']

const DIALLING: readonly string[] = ['call', 'pick', 'resolve']

/** The variables that the help of a command lists. Those for output come last. */
export function variablesOf(command: string): readonly Variable[] {
  if (WITHOUT_ETCD.includes(command)) return OUTPUT.slice(0, 2)
  if (command === 'context') return [CONTEXTS, ...ETCD.slice(0, 3), ...OUTPUT.slice(0, 2)]
  const place = command === 'layouts' ? PLACE.slice(1) : PLACE
  return [
    ...ETCD.slice(0, 3),
    ...place,
    ...(DIALLING.includes(command) ? [LISTS] : []),
    ...(command === 'history' ? [TIMES] : []),
    ...OUTPUT.slice(0, 2),
  ]
}
