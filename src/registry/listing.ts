import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { listFiltered } from '../etcd/filtered-list.js'
import { prefixRange } from '../etcd/key-range.js'
import { list } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'
import { explainForbidden, isForbidden } from './permission.js'

/** Endpoints as of one revision. */
export interface EndpointList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** Number of keys in the range that are not registrations. */
  readonly otherKeys: number
}

/** Lists the endpoints of one service, or of all, by key. Without permission for all keys, lists the default layout. */
export async function listEndpoints(
  client: EtcdClient,
  reader: Reader,
  service?: string,
): Promise<EndpointList> {
  try {
    return await read(client, reader, service)
  } catch (error) {
    const narrowed = isForbidden(error) && service !== undefined ? reader.narrowed(service) : null
    if (!narrowed) throw explainForbidden(error, reader)
    return await listEndpoints(client, narrowed, service)
  }
}

async function read(client: EtcdClient, reader: Reader, service?: string): Promise<EndpointList> {
  const range = prefixRange(reader.prefix(service))
  const filter = reader.keyFilter(service)
  const { revision, kvs, others } = filter
    ? await listFiltered(client, range, filter)
    : { ...(await list(client, range)), others: 0 }
  const found = kvs.map((kv) => decodeEndpoints(reader, kv, service))
  const empty = found.filter((endpoints) => endpoints.length === 0).length
  return { revision, endpoints: found.flat(), otherKeys: others + empty }
}
