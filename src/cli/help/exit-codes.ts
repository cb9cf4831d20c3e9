/** The meaning of each exit code. */
const MEANINGS = {
  '0': 'success',
  '1': 'internal error: a bug in disco, or standard output or a report that cannot be written',
  '2': 'usage: wrong flags, arguments or files',
  '3': 'etcd cannot be reached, denies access or lacks the revision, or the outcome of a write is unknown',
  '4': 'not found: a service, an endpoint or a method',
  '5': 'a wait ended before its condition held',
  '6': 'conflict with a registration, with a port in use, or with a context that exists',
  '7': 'calls failed, or endpoints are not healthy',
  '8': 'the verdict is FAIL, an assertion does not hold, or the guard of a shift failed',
  '9': 'doctor found errors',
  '64 + N': 'one call failed with gRPC status N, such as 78 for UNAVAILABLE (14)',
  '130': 'interrupted by Ctrl-C, SIGTERM or SIGHUP',
} as const

type Code = keyof typeof MEANINGS

/** Exit codes of every command. */
const ALWAYS: readonly Code[] = ['0', '1', '2']

/** Further exit codes of each command. */
const OTHERS: Readonly<Record<string, readonly Code[]>> = {
  apply: ['3', '6', '130'],
  call: ['3', '4', '7', '8', '64 + N', '130'],
  completion: [],
  context: ['6'],
  dev: ['6'],
  doctor: ['3', '4', '9', '130'],
  drain: ['3', '4', '6', '130'],
  export: ['3', '4', '6'],
  health: ['3', '4', '7', '130'],
  help: [],
  diff: ['3', '130'],
  history: ['3', '4', '130'],
  layouts: [],
  ls: ['3', '4'],
  pick: ['3', '4', '130'],
  proxy: ['6', '130'],
  register: ['3', '5', '6', '130'],
  resolve: ['3', '4', '130'],
  shift: ['3', '4', '6', '8', '130'],
  unregister: ['3', '6', '130'],
  verdict: ['8'],
  version: [],
  wait: ['3', '5', '130'],
  watch: ['3', '130'],
  weight: ['3', '4', '6'],
  xds: ['6'],
}

/** The exit code of a command that starts another command. */
const CHILD: Readonly<Record<string, string>> = {
  dev: 'with -- CMD: the exit code of CMD',
  register: 'with -- CMD: the exit code of CMD, if it ends by itself',
}

/** The exit codes of a command, with their meaning. */
export function exitsOf(command: string): readonly (readonly [code: string, meaning: string])[] {
  const codes = [...ALWAYS, ...(OTHERS[command] ?? [])].map((code) => [code, MEANINGS[code]] as const)
  const child = CHILD[command]
  return child === undefined ? codes : [...codes, ['any', child]]
}

/** All exit codes, with their meaning. */
export const EXITS: readonly (readonly [code: string, meaning: string])[] = [
  ...Object.entries(MEANINGS),
].sort(([one], [other]) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
