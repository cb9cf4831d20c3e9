import type { IRangeResponse, IRequestOp } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { keyText } from '../domain/key-text.js'
import type { EtcdClient } from './client.js'
import { type KeyRange, keyAfter } from './key-range.js'
import { pages } from './pages.js'
import { isOutOfHistory, type KeyValue, type Listing, list, readKeyValue } from './range.js'

/** Selects keys by their text. */
export type KeyFilter = (key: string) => boolean

/** One page of a filtered range. */
export interface FilteredPage {
  readonly header: IRangeResponse['header']
  readonly revision: Revision
  /** Keys that match, with their values. */
  readonly kvs: readonly KeyValue[]
  /** Keys that do not match; their values are never fetched. */
  readonly others: readonly string[]
}

/** etcd's limit of operations in one transaction. */
const MOST_OPERATIONS = 128

/**
 * Maximum number of values that one transaction reads: a page of keys alone is small, but each value may have
 * kilobytes.
 */
const MOST_KEYS = 5_000

/**
 * Lists the keys of a range without values, page by page at the first page's revision, and fetches the values of the
 * keys that match. For ranges in which most keys are not registrations.
 *
 * @throws DiscoError INTERNAL (see `isOutOfHistory`) when that revision is compacted before the last page
 */
export async function* filteredPages(
  client: EtcdClient,
  range: KeyRange,
  filter: KeyFilter,
): AsyncGenerator<FilteredPage, void, void> {
  for await (const { header, revision, kvs } of pages(client, range, { keysOnly: true })) {
    const runs: Buffer[][] = []
    const others: string[] = []
    let wasKept = false
    for (const { key } of kvs) {
      const text = keyText(key)
      const isKept = filter(text)
      if (!isKept) others.push(text)
      else if (wasKept) runs.at(-1)?.push(key)
      else runs.push([key])
      wasKept = isKept
    }
    yield { header, revision, kvs: await valuesOf(client, runs, revision), others }
  }
}

/** Lists a range, or the keys of it that match. */
export function listMatching(
  client: EtcdClient,
  range: KeyRange,
  filter: KeyFilter | null,
): Promise<Listing> {
  return filter ? listFiltered(client, range, filter) : list(client, range)
}

/** Lists the keys that match. Starts over when the revision is compacted meanwhile. */
export async function listFiltered(
  client: EtcdClient,
  range: KeyRange,
  filter: KeyFilter,
): Promise<Listing & { readonly others: number }> {
  for (;;) {
    const kvs: KeyValue[] = []
    let others = 0
    let last: FilteredPage | null = null
    try {
      for await (const page of filteredPages(client, range, filter)) {
        for (const kv of page.kvs) kvs.push(kv)
        others += page.others.length
        last = page
      }
    } catch (error) {
      if (last !== null && isOutOfHistory(error)) continue
      throw error
    }
    if (last === null) throw new Error('a range has at least one page')
    const { cluster_id: clusterId, raft_term: raftTerm } = last.header
    return { clusterId, raftTerm: Number(raftTerm), revision: last.revision, kvs, others }
  }
}

/** Reads runs of neighbouring keys as ranges, many in one transaction. */
async function valuesOf(
  client: EtcdClient,
  runs: readonly (readonly Buffer[])[],
  revision: Revision,
): Promise<KeyValue[]> {
  const kvs: KeyValue[] = []
  for (const group of inGroups(runs)) {
    const success = group.map((run): IRequestOp => {
      const [first = Buffer.alloc(0)] = run
      return { request_range: { key: first, range_end: keyAfter(run.at(-1) ?? first), revision } }
    })
    const { responses } = await client.txn({ success })
    for (const { response_range } of responses) {
      for (const kv of response_range.kvs) kvs.push(readKeyValue(kv))
    }
  }
  return kvs
}

/** Groups runs into transactions, in order. Splits long runs. */
function* inGroups(runs: readonly (readonly Buffer[])[]): Generator<Buffer[][], void, void> {
  let group: Buffer[][] = []
  let keys = 0
  for (const run of runs) {
    for (let at = 0; at < run.length; ) {
      const part = run.slice(at, at + MOST_KEYS - keys)
      group.push(part)
      keys += part.length
      at += part.length
      if (keys < MOST_KEYS && group.length < MOST_OPERATIONS) continue
      yield group
      group = []
      keys = 0
    }
  }
  if (group.length > 0) yield group
}
