import type { Revision } from '../domain/endpoint.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import type { EtcdClient } from './client.js'
import { type FilteredPage, filteredPages } from './filtered-pages.js'
import type { RangeAt } from './key-range.js'
import { pages } from './pages.js'
import type { KeyValue } from './pairs.js'
import { isOutOfHistory } from './range.js'

/** The cluster and the revision of a list. */
export interface ListingOrigin {
  readonly clusterId: string
  readonly raftTerm: number
  readonly revision: Revision
}

/** The matching key-values of a range, by key. */
export interface Listing extends ListingOrigin {
  readonly kvs: readonly KeyValue[]
}

/** The result of decoding the key-values of a range. */
export interface DecodedListing<Item> extends ListingOrigin {
  readonly items: readonly Item[]
  /** Number of keys that do not match, or for which `decode` returned no item. */
  readonly others: number
}

/**
 * Lists the matching keys of a range; a null filter matches all. If etcd compacts the revision of the list before the
 * last page, the list starts over, unless the range has a revision.
 *
 * @param decode converts a key-value to items; called page by page, so that a page is freed before the next is decoded
 */
export async function collect<Item>(
  client: EtcdClient,
  range: RangeAt,
  filter: KeyFilter | null,
  decode: (kv: KeyValue) => readonly Item[],
): Promise<DecodedListing<Item>> {
  for (;;) {
    const items: Item[] = []
    let others = 0
    let last: MatchingPage | null = null
    try {
      for await (const page of matchingPages(client, range, filter)) {
        others += addItems(items, page, decode)
        last = page
      }
    } catch (error) {
      if (last !== null && range.revision === undefined && isOutOfHistory(error)) continue
      throw error
    }
    if (last === null) throw new Error('a range has at least one page')
    const { clusterId, raftTerm } = last.header
    return { clusterId, raftTerm, revision: last.revision, items, others }
  }
}

/** The result of decoding one page of a range. */
export interface CollectedPage<Item> {
  /** The same for all pages. If etcd compacts it before the last page, the remaining pages have a newer revision. */
  readonly revision: Revision
  readonly items: readonly Item[]
  /** See `DecodedListing.others`. */
  readonly others: number
}

/** Collects like `collect`, but yields each page as soon as etcd has sent it. No key is in two pages. */
export async function* collectPages<Item>(
  client: EtcdClient,
  range: RangeAt,
  filter: KeyFilter | null,
  decode: (kv: KeyValue) => readonly Item[],
): AsyncGenerator<CollectedPage<Item>, void, void> {
  let rest: Buffer | null = range.key
  while (rest) {
    const from: Buffer = rest
    try {
      for await (const page of matchingPages(client, { ...range, key: from }, filter)) {
        const items: Item[] = []
        const others = addItems(items, page, decode)
        rest = page.next
        yield { revision: page.revision, items, others }
      }
    } catch (error) {
      if (rest === from || range.revision !== undefined || !isOutOfHistory(error)) throw error
    }
  }
}

/** Decodes a page. @returns `DecodedListing.others` of the page */
function addItems<Item>(
  items: Item[],
  { kvs, others }: MatchingPage,
  decode: (kv: KeyValue) => readonly Item[],
): number {
  let unused = others
  for (const kv of kvs) {
    const decoded = decode(kv)
    if (decoded.length === 0) unused++
    for (const item of decoded) items.push(item)
  }
  return unused
}

/** Collects the key-values of a range, like `collect`. */
export async function list(
  client: EtcdClient,
  range: RangeAt,
  filter: KeyFilter | null = null,
): Promise<Listing> {
  const { items, clusterId, raftTerm, revision } = await collect<KeyValue>(client, range, filter, (kv) => [
    kv,
  ])
  return { clusterId, raftTerm, revision, kvs: items }
}

type MatchingPage = Pick<FilteredPage, 'header' | 'revision' | 'others' | 'next'> & {
  readonly kvs: Iterable<KeyValue>
}

async function* matchingPages(
  client: EtcdClient,
  range: RangeAt,
  filter: KeyFilter | null,
): AsyncGenerator<MatchingPage, void, void> {
  if (filter) yield* filteredPages(client, range, filter)
  else {
    for await (const { header, revision, pairs, next } of pages(client, range, { keysOnly: false }))
      yield { header, revision, kvs: pairs, others: 0, next }
  }
}
