import { isReadable } from '../domain/endpoint.js'
import { LAYOUTS } from '../domain/layouts/index.js'
import { AUTO, type Reader, readerOf } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { prefixRange } from '../etcd/key-range.js'
import { readKeyValue } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'
import { unlessForbidden } from './etcd-refusals.js'

/** Number of keys to read under the prefix of each layout: the first keys there may not be endpoints. */
const KEYS_EACH = 4

/**
 * The names of other layouts, under the same root, in which a service is registered. Needs one small transaction,
 * whatever the size of the registry. Empty if etcd forbids the read.
 */
export async function otherLayoutsOf(
  client: EtcdClient,
  { layout, root }: Reader,
  service: string,
): Promise<readonly string[]> {
  if (layout === AUTO) return []
  const registries = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration)
  const prefixes = registries.map(({ name }) => readerOf({ layout: name, root }).prefix(service))
  const success = [...new Set(prefixes)].map((prefix) => ({
    request_range: { ...prefixRange(prefix), limit: KEYS_EACH },
  }))
  const answer = await unlessForbidden(client.txn({ success }))
  const auto = readerOf({ layout: AUTO, root })
  const endpoints = (answer?.responses ?? [])
    .flatMap(({ response_range }) => response_range.kvs)
    .flatMap((kv) => decodeEndpoints(auto, readKeyValue(kv), service))
  const names = endpoints.filter(isReadable).map((endpoint) => endpoint.layout)
  return [...new Set(names)].filter((name) => name !== layout)
}
