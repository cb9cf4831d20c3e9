import type { Discovery } from '../domain/discovery.js'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { prefixRange, type RangeAt } from '../etcd/key-range.js'
import { type CollectedPage, collect, collectPages } from '../etcd/list.js'
import type { KeyValue } from '../etcd/pairs.js'
import { decodeEndpoints } from './decode.js'
import { explainForbidden, isForbidden } from './etcd-refusals.js'
import { explainRevision } from './revisions.js'

/** Endpoints as of one revision. */
export interface EndpointList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** Number of keys in the range that are not registrations. */
  readonly otherKeys: number
}

/** Optional parts of a list. */
interface ListingOptions {
  /** Called with the key and value of each registration; again with newer ones if the list starts over. */
  readonly onKey?: (kv: KeyValue) => void
  /** The revision of the list; by default the newest. */
  readonly revision?: Revision | undefined
}

/**
 * Lists the endpoints of one service, or of all services, sorted by key. Without permission for all keys, lists those of
 * the default layout.
 *
 * @throws DiscoError REVISION_UNAVAILABLE
 */
export async function listEndpoints(
  client: EtcdClient,
  reader: Reader,
  service?: string,
  options: ListingOptions = {},
): Promise<EndpointList> {
  try {
    return await read(client, reader, service, options)
  } catch (error) {
    const narrowed = isForbidden(error) && service !== undefined ? reader.narrowed(service) : null
    if (!narrowed) throw await explained(error, client, reader, rangeAt(reader, service, options.revision))
    return await listEndpoints(client, narrowed, service, options)
  }
}

/** Lists like `listEndpoints`, but in pages. */
export async function* endpointPages(
  client: EtcdClient,
  reader: Reader,
  service?: string,
  at?: Revision,
): AsyncGenerator<EndpointList, void, void> {
  const decode = (kv: KeyValue, by: Reader) => decodeEndpoints(by, kv, service)
  for await (const { revision, items, others } of decodedPages(client, reader, service, decode, at)) {
    yield { revision, endpoints: items, otherKeys: others }
  }
}

/**
 * Reads the keys of one service, or of all services, in pages. The caller decodes each key. Without permission for all
 * keys, reads those of the default layout.
 *
 * @param decode decodes a key by the given reader, which may be narrower than `reader`
 * @param at reads as of this revision
 * @throws DiscoError REVISION_UNAVAILABLE
 */
export async function* decodedPages<Item>(
  client: EtcdClient,
  reader: Reader,
  service: string | undefined,
  decode: (kv: KeyValue, reader: Reader) => readonly Item[],
  at?: Revision,
): AsyncGenerator<CollectedPage<Item>, void, void> {
  const range = rangeAt(reader, service, at)
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
    if (!narrowed) throw await explained(error, client, reader, range)
    yield* decodedPages(client, narrowed, service, decode, at)
  }
}

async function read(
  client: EtcdClient,
  reader: Reader,
  service: string | undefined,
  { onKey = () => undefined, revision: at }: ListingOptions,
): Promise<EndpointList> {
  const range = rangeAt(reader, service, at)
  const decode = (kv: KeyValue) => {
    const endpoints = decodeEndpoints(reader, kv, service)
    if (endpoints.length > 0) onKey(kv)
    return endpoints
  }
  const { revision, items, others } = await collect(client, range, reader.keyFilter(service), decode)
  return { revision, endpoints: items, otherKeys: others }
}

function rangeAt(reader: Reader, service: string | undefined, revision: Revision | undefined): RangeAt {
  const range = prefixRange(reader.prefix(service))
  return revision === undefined ? range : { ...range, revision }
}

async function explained(
  error: unknown,
  client: EtcdClient,
  reader: Reader,
  range: RangeAt,
): Promise<unknown> {
  const { revision, ...whole } = range
  if (revision === undefined) return explainForbidden(error, reader)
  return explainForbidden(await explainRevision(error, client, whole, revision), reader)
}

/** A discovery of one list that never changes, such as an earlier state of a service. */
export function pastDiscovery({ revision, endpoints }: EndpointList): Discovery {
  return {
    async *watch(_query, signal) {
      yield { type: 'reset', revision, endpoints, source: 'etcd', ageMs: 0 }
      if (signal.aborted) return
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
}
