import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'

/** The revision that etcd has come to: it moves with every write, and with nothing else. */
export async function revision(etcd: Etcd): Promise<number> {
  const { header } = await withApi(etcd, (api) => api.get('KV/Range', { key: base64('/') }))
  return Number((header as { revision: string }).revision)
}

/** In hex, as etcdctl prints them. */
export async function leaseIds(etcd: Etcd): Promise<string[]> {
  return (await etcd.ctl('lease', 'list')).trim().split('\n').slice(1)
}

/** In hex. */
export async function grantLease(etcd: Etcd, ttlSeconds: number): Promise<string> {
  const answer = await etcd.ctl('lease', 'grant', String(ttlSeconds))
  const [, lease = ''] = /lease (\w+) granted/.exec(answer) ?? []
  return lease
}

/** The stored text of a key; empty where there is none. */
export async function storedText(etcd: Etcd, key: string): Promise<string> {
  return (await etcd.ctl('get', key, '--print-value-only')).replace(/\n$/, '')
}

/** The weight that a key's value has; null where there is no such key. */
export async function storedWeight(etcd: Etcd, key: string): Promise<number | null> {
  const text = await storedText(etcd, key)
  return text === '' ? null : (JSON.parse(text) as { weight: number }).weight
}

/** Waits until an etcd without users and TLS has no such key any more; sees it within some 20 ms. */
export async function untilGone(etcd: Etcd, key: string): Promise<void> {
  const request = { key: base64(key), count_only: true }
  await until(
    async () => (await withApi(etcd, (api) => api.get('KV/Range', request))).count === '0',
    () => `${key} to be gone`,
  )
}

/** Waits until etcd has such a key. */
export async function untilStored(etcd: Etcd, key: string): Promise<void> {
  await until(
    async () => (await storedText(etcd, key)) !== '',
    () => `${key} to be stored`,
  )
}

/** Removes every key and lease of an etcd without users and TLS. */
export async function wipe(etcd: Etcd): Promise<void> {
  await withApi(etcd, async (api) => {
    const { leases } = (await api.get('Lease/LeaseLeases', {})) as { leases: { ID: string }[] }
    // One that has lapsed meanwhile is refused, and gone.
    for (const { ID } of leases) await api.call('Lease/LeaseRevoke', { ID })
    const allKeys = { key: base64('\0'), range_end: base64('\0') }
    await api.get('KV/DeleteRange', allKeys)
  })
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A connection for one look: a start of etcdctl costs ten times as much, and many tests look often. */
async function withApi<Result>(etcd: Etcd, use: (api: EtcdApi) => Promise<Result>): Promise<Result> {
  const api = new EtcdApi(etcd.endpoint)
  try {
    return await use(api)
  } finally {
    api.close()
  }
}

/** A registration's key and value in the seed layout. */
export function registration(
  service: string,
  addr: string,
  { version = '', weight = 1, metadata }: { version?: string; weight?: number; metadata?: object } = {},
): [key: string, value: string] {
  const key = version === '' ? `/${service}/${addr}` : `/${service}/${version}/${addr}`
  return [key, JSON.stringify({ name: service, addr, version, weight, metadata })]
}

/** An endpoint to be registered. */
export interface Placed {
  readonly addr: string
  readonly version?: string
  readonly weight?: number
}

/** Puts up to 128 registrations (etcd's limit) in one transaction, so that a watcher gets them as one change. */
export async function putAll(etcd: Etcd, service: string, placed: readonly Placed[]): Promise<void> {
  const success = placed.map(({ addr, ...options }) => {
    const [key, value] = registration(service, addr, options)
    return { request_put: { key: base64(key), value: base64(value) } }
  })
  await withApi(etcd, (api) => api.get('KV/Txn', { success }))
}
