import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { list, prefixRange } from '../etcd/range.js'
import { sift } from '../etcd/sift.js'
import { decodeEndpoints } from './decode.js'
import { explainDenied } from './denied.js'

/** Endpoints as of one revision. */
export interface EndpointList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** How many keys were looked at that are no registrations. */
  readonly otherKeys: number
}

/** One service's endpoints, or all services', by key. */
export async function listEndpoints(
  client: EtcdClient,
  reader: Reader,
  service?: string,
): Promise<EndpointList> {
  const range = prefixRange(reader.prefix(service))
  const keep = reader.sieve(service)
  const listing = keep
    ? sift(client, range, keep)
    : list(client, range).then((whole) => ({ ...whole, others: 0 }))
  const { revision, kvs, others } = await listing.catch((error: unknown) => {
    throw explainDenied(error, reader)
  })
  const found = kvs.map((kv) => decodeEndpoints(reader, kv, service))
  const empty = found.filter((endpoints) => endpoints.length === 0).length
  return { revision, endpoints: found.flat(), otherKeys: others + empty }
}
