import type { Endpoint } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { keyAt } from '../etcd/range.js'

/** Maximum number of writes of the key that are searched. */
const MAX_STEPS = 1_000

/** The last weight above 0 of the endpoint's key; null if etcd's history does not show it. */
export async function lastWeight(
  client: EtcdClient,
  reader: Reader,
  { key, modRevision, createRevision }: Pick<Endpoint, 'key' | 'modRevision' | 'createRevision'>,
): Promise<number | null> {
  let revision = modRevision - 1
  for (let step = 0; step < MAX_STEPS && revision >= createRevision; step++) {
    const kv = await keyAt(client, key, revision)
    if (!kv || kv === 'compacted') return null
    const found = reader.read(key, kv.value)
    const decoded = found?.decoded
    const weight = decoded?.kind === 'endpoints' ? decoded.records[0].weight : 0
    if (weight > 0) return weight
    revision = kv.modRevision - 1
  }
  return null
}
