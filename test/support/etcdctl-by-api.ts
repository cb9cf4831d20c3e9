import { base64 } from './base64.js'
import type { Message } from './etcd-api.js'

/**
 * Does what etcdctl does with these arguments through etcd's API, because a start of etcdctl costs ten times as much
 * and tests write and read often.
 *
 * @param endpoint `host:port` of an etcd without users and TLS
 * @returns the standard output of etcdctl; null for other commands and flags than the frequent ones, and if etcd
 * refuses the request, so that etcdctl itself reports the refusal
 */
export async function etcdctlByApi(endpoint: string, args: readonly string[]): Promise<string | null> {
  const request = requestOf(args)
  if (request === null) return null
  // Loaded on demand: the global set-up, which fetches a project's grpc-js, imports this file.
  const { EtcdApi } = await import('./etcd-api.js')
  const api = new EtcdApi(endpoint)
  try {
    const outcome = await api.call(request.path, request.message)
    return 'ok' in outcome ? request.print(outcome.ok) : null
  } finally {
    api.close()
  }
}

interface Request {
  readonly path: string
  readonly message: Message
  readonly print: (answer: Message) => string
}

function requestOf([command, ...rest]: readonly string[]): Request | null {
  const [first = '', second = '', ...more] = rest
  if (first.startsWith('-') || second.startsWith('--lease')) return null
  switch (command) {
    case 'put':
      return rest.length < 2 ? null : put(first, second, more)
    case 'del':
      return rest.length > 1
        ? null
        : { path: 'KV/DeleteRange', message: { key: base64(first) }, print: deleted }
    case 'get':
      return rest.length === 2 && second === '--print-value-only'
        ? { path: 'KV/Range', message: { key: base64(first) }, print: valueOnly }
        : null
    case 'lease':
      if (first === 'list') return { path: 'Lease/LeaseLeases', message: {}, print: leases }
      return first === 'grant' && more.length === 0
        ? { path: 'Lease/LeaseGrant', message: { TTL: second, ID: '0' }, print: granted }
        : null
    default:
      return null
  }
}

function put(key: string, value: string, flags: readonly string[]): Request | null {
  const [, lease] = /^--lease=([0-9a-f]+)$/.exec(flags[0] ?? '') ?? []
  if (flags.length > (lease === undefined ? 0 : 1)) return null
  const message = {
    key: base64(key),
    value: base64(value),
    lease: lease === undefined ? '0' : BigInt(`0x${lease}`).toString(),
  }
  return { path: 'KV/Put', message, print: () => 'OK\n' }
}

const deleted = (answer: Message) => `${String(answer.deleted)}\n`

function valueOnly(answer: Message): string {
  return (answer.kvs as { value: string }[])
    .map(({ value }) => `${Buffer.from(value, 'base64').toString()}\n`)
    .join('')
}

function granted({ ID, TTL }: Message): string {
  return `lease ${hex(ID)} granted with TTL(${String(TTL)}s)\n`
}

function leases(answer: Message): string {
  const ids = (answer.leases as { ID: string }[]).map(({ ID }) => `${hex(ID)}\n`)
  return `found ${ids.length} leases\n${ids.join('')}`
}

const hex = (lease: unknown) => BigInt(String(lease)).toString(16).padStart(16, '0')
