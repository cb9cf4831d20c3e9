import type { LeaseId, Revision } from '../../domain/endpoint.js'
import { type EndpointFilter, isChosen, isUnfiltered } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import type { EndpointEntry } from '../../domain/registry-file.js'
import type { Ttl } from '../../etcd/lease.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { decodeEndpoints } from '../decode.js'
import { decodedPages } from '../listing.js'
import type { Registry } from '../registry.js'
import { entriesOf, type StoredRegistration } from './entries.js'

/** A page of an export. */
export interface ExportPage {
  /** The same for all pages of one export. */
  readonly revision: Revision
  readonly entries: readonly EndpointEntry[]
  /** Keys whose values cannot be read, so that they have no entries. Empty if a filter selects endpoints. */
  readonly unreadable: readonly string[]
}

/** Reads the granted TTLs of leases. */
export type AskTtls = (leases: ReadonlySet<LeaseId>) => Promise<ReadonlyMap<LeaseId, Ttl>>

/**
 * Reads the endpoints of a service, or of all services, as entries of a file, page by page. A key is exported with all of
 * its addresses if the filter selects at least one of them.
 *
 * @throws DiscoError CONFLICT if etcd compacts the revision of the first page before the last page is read
 */
export async function* exportPages(
  registry: Registry,
  service: string | undefined,
  filter: EndpointFilter,
  ask: AskTtls,
): AsyncGenerator<ExportPage, void, void> {
  const { client, reader } = registry.internals()
  let first: Revision | null = null
  const pages = decodedPages(client, reader, service, (kv, by): ExportItem[] => {
    const endpoints = decodeEndpoints(by, kv, service)
    if (endpoints.length === 0) return []
    const found = by.read(kv.key, kv.value)
    if (found?.decoded.kind !== 'endpoints') return [isUnfiltered(filter) ? kv.key : null]
    const isSelected = endpoints.some((endpoint) => isChosen(filter, endpoint))
    return [isSelected ? { kv: ownCopy(kv), layout: found.layout, records: found.decoded.records } : null]
  })
  for await (const { revision, items } of pages) {
    first ??= revision
    if (revision !== first) throw compacted(first)
    const stored = items.filter((item) => item !== null && typeof item === 'object')
    const leases = new Set(stored.flatMap(({ kv }) => kv.lease ?? []))
    const ttls = await ask(leases)
    yield {
      revision,
      entries: stored.flatMap((one) => entriesOf(one, ttls)),
      unreadable: items.filter((item) => typeof item === 'string'),
    }
  }
}

/** A registration, the key of an unreadable value, or null for a key that the filter excludes. */
type ExportItem = StoredRegistration | string | null

/** Copies the value: it is a view that would keep etcd's whole response in memory. */
function ownCopy(kv: KeyValue): KeyValue {
  return { ...kv, value: Buffer.from(kv.value) }
}

function compacted(revision: Revision): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `etcd compacted revision ${revision} while it was read: the output is not complete`,
    { suggestions: ['Repeat the export'] },
  )
}
