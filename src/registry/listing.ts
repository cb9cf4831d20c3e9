import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { prefixRange } from '../etcd/key-range.js'
import { type CollectedPage, collect, collectPages } from '../etcd/list.js'
import type { KeyValue } from '../etcd/pairs.js'
import { decodeEndpoints } from './decode.js'
import { explainForbidden, isForbidden } from './etcd-refusals.js'

/** Endpoints as of one revision. */
export interface EndpointList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** Number of keys in the range that are not registrations. */
  readonly otherKeys: number
}

/**
 * Lists the endpoints of one service, or of all, by key. Without permission for all keys, lists the default layout.
 *
 * @param onKey called with the key and value of each registration; again with newer ones if the list starts over
 */
export async function listEndpoints(
  client: EtcdClient,
  reader: Reader,
  service?: string,
  onKey?: (kv: KeyValue) => void,
): Promise<EndpointList> {
  try {
    return await read(client, reader, service, onKey)
  } catch (error) {
    const narrowed = isForbidden(error) && service !== undefined ? reader.narrowed(service) : null
    if (!narrowed) throw explainForbidden(error, reader)
    return await listEndpoints(client, narrowed, service, onKey)
  }
}

/** Lists like `listEndpoints`, but in pages. */
export async function* endpointPages(
  client: EtcdClient,
  reader: Reader,
  service?: string,
): AsyncGenerator<EndpointList, void, void> {
  const decode = (kv: KeyValue, by: Reader) => decodeEndpoints(by, kv, service)
  for await (const { revision, items, others } of decodedPages(client, reader, service, decode)) {
    yield { revision, endpoints: items, otherKeys: others }
  }
}

/**
 * Reads the keys of one service, or of all, in pages, each decoded by the caller. Without permission for all keys, reads
 * those of the default layout.
 *
 * @param decode takes the reader that the range was read for
 */
export async function* decodedPages<Item>(
  client: EtcdClient,
  reader: Reader,
  service: string | undefined,
  decode: (kv: KeyValue, reader: Reader) => readonly Item[],
): AsyncGenerator<CollectedPage<Item>, void, void> {
  const range = prefixRange(reader.prefix(service))
  let isFirst = true
  try {
    const pages = collectPages(client, range, reader.keyFilter(service), (kv) => decode(kv, reader))
    for await (const page of pages) {
      isFirst = false
      yield page
    }
  } catch (error) {
    const mayNarrow = isFirst && isForbidden(error) && service !== undefined
    const narrowed = mayNarrow ? reader.narrowed(service) : null
    if (!narrowed) throw explainForbidden(error, reader)
    yield* decodedPages(client, narrowed, service, decode)
  }
}

async function read(
  client: EtcdClient,
  reader: Reader,
  service?: string,
  onKey: (kv: KeyValue) => void = () => undefined,
): Promise<EndpointList> {
  const range = prefixRange(reader.prefix(service))
  const decode = (kv: KeyValue) => {
    const endpoints = decodeEndpoints(reader, kv, service)
    if (endpoints.length > 0) onKey(kv)
    return endpoints
  }
  const { revision, items, others } = await collect(client, range, reader.keyFilter(service), decode)
  return { revision, endpoints: items, otherKeys: others }
}
