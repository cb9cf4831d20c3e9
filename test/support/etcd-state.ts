import { base64 } from './base64.js'
import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'

/** The current revision of etcd, which changes only with a write. */
export async function revision(etcd: Etcd): Promise<number> {
  const { header } = await withApi(etcd, (api) => api.get('KV/Range', { key: base64('/') }))
  return Number((header as { revision: string }).revision)
}

/** A granted lease id in hex, as printed by etcdctl. */
export async function leaseIds(etcd: Etcd): Promise<string[]> {
  return (await etcd.ctl('lease', 'list')).trim().split('\n').slice(1)
}

/** Lease ids in hex. */
export async function grantLease(etcd: Etcd, ttlSeconds: number): Promise<string> {
  const answer = await etcd.ctl('lease', 'grant', String(ttlSeconds))
  const [, lease = ''] = /lease (\w+) granted/.exec(answer) ?? []
  return lease
}

/** The stored text of a key; empty if the key does not exist. */
export async function storedText(etcd: Etcd, key: string): Promise<string> {
  return (await etcd.ctl('get', key, '--print-value-only')).replace(/\n$/, '')
}

/** The weight in the value of a key; null if the key does not exist. */
export async function storedWeight(etcd: Etcd, key: string): Promise<number | null> {
  const text = await storedText(etcd, key)
  return text === '' ? null : (JSON.parse(text) as { weight: number }).weight
}

/** Waits until a key no longer exists in an etcd without users and TLS. Notices that within about 20 ms. */
export async function untilGone(etcd: Etcd, key: string): Promise<void> {
  const request = { key: base64(key), count_only: true }
  await until(
    async () => (await withApi(etcd, (api) => api.get('KV/Range', request))).count === '0',
    () => `${key} to be gone`,
  )
}

/** Waits until a key exists. */
export async function untilStored(etcd: Etcd, key: string): Promise<void> {
  await until(
    async () => (await storedText(etcd, key)) !== '',
    () => `${key} to be stored`,
  )
}

/** Removes all keys and leases of an etcd without users and TLS. */
export async function wipe(etcd: Etcd): Promise<void> {
  await withApi(etcd, async (api) => {
    const { leases } = (await api.get('Lease/LeaseLeases', {})) as { leases: { ID: string }[] }
    // Revoking a lease that has expired meanwhile fails, which does not matter.
    for (const { ID } of leases) await api.call('Lease/LeaseRevoke', { ID })
    const allKeys = { key: base64('\0'), range_end: base64('\0') }
    await api.get('KV/DeleteRange', allKeys)
  })
}

/** Opens a connection for one read. Starting etcdctl costs ten times as much, and many tests read often. */
async function withApi<Result>(etcd: Etcd, use: (api: EtcdApi) => Promise<Result>): Promise<Result> {
  const api = new EtcdApi(etcd.endpoint)
  try {
    return await use(api)
  } finally {
    api.close()
  }
}

/** The key and value of a registration in the seed layout. */
export function registration(
  service: string,
  addr: string,
  { version = '', weight = 1, metadata }: { version?: string; weight?: number; metadata?: object } = {},
): [key: string, value: string] {
  const key = version === '' ? `/${service}/${addr}` : `/${service}/${version}/${addr}`
  return [key, JSON.stringify({ name: service, addr, version, weight, metadata })]
}

/** An endpoint to register. */
export interface Placed {
  readonly addr: string
  readonly version?: string
  readonly weight?: number
}

/** Writes up to 128 registrations (etcd’s limit) in one transaction, so that a watcher receives them as one change. */
export async function putAll(etcd: Etcd, service: string, placed: readonly Placed[]): Promise<void> {
  const success = placed.map(({ addr, ...options }) => {
    const [key, value] = registration(service, addr, options)
    return { request_put: { key: base64(key), value: base64(value) } }
  })
  await withApi(etcd, (api) => api.get('KV/Txn', { success }))
}
