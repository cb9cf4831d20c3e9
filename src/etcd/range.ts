import type { IKeyValue, ITxnResponse } from 'etcd3'
import type { LeaseId, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { keyBytes, keyText } from '../domain/key-text.js'
import type { EtcdClient } from './client.js'

/** One key as etcd stores it. */
export interface KeyValue {
  /** As by `keyText`. */
  readonly key: string
  readonly value: Buffer
  readonly lease: LeaseId | null
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** Keys from `key` up to, not including, `range_end`; without one, the key alone. */
export interface KeyRange {
  readonly key: Buffer
  readonly range_end?: Buffer
}

/** A list under a prefix, all of it as of one revision. */
export interface Listing {
  readonly clusterId: string
  readonly raftTerm: number
  readonly revision: Revision
  readonly kvs: readonly KeyValue[]
}

/** 5,000 registrations stay far below any message limit, and cost no more than one large answer. */
export const PAGE_SIZE = 5_000

export function oneKey(key: string): KeyRange {
  return { key: keyBytes(key) }
}

/** The range of a prefix: its end is the prefix with the last byte that can grow grown by one. */
export function prefixRange(prefix: string): KeyRange {
  const key = keyBytes(prefix)
  const grown = key.findLastIndex((byte) => byte < 0xff)
  if (grown < 0) return { key: Buffer.from([0]), range_end: Buffer.from([0]) }
  const end = Buffer.from(key.subarray(0, grown + 1))
  end[grown] = (end[grown] ?? 0) + 1
  return { key, range_end: end }
}

/**
 * Lists a range page by page at the first page's revision. Starts over when that revision is compacted
 * meanwhile.
 */
export async function list(
  client: EtcdClient,
  range: KeyRange,
  options: { keysOnly?: boolean; limit?: number } = {},
): Promise<Listing> {
  for (;;) {
    const listing = await listOnce(client, range, options.keysOnly ?? false, options.limit)
    if (listing) return listing
  }
}

async function listOnce(
  client: EtcdClient,
  range: KeyRange,
  keysOnly: boolean,
  limit = Number.POSITIVE_INFINITY,
): Promise<Listing | null> {
  const kvs: KeyValue[] = []
  let revision: Revision = 0
  let key = range.key
  for (;;) {
    let page: Awaited<ReturnType<EtcdClient['range']>>
    try {
      page = await client.range({ ...range, key, limit: PAGE_SIZE, revision, keys_only: keysOnly })
    } catch (error) {
      if (revision > 0 && isOutOfHistory(error)) return null
      throw error
    }
    if (revision === 0) revision = Number(page.header.revision)
    for (const kv of page.kvs) kvs.push(readKeyValue(kv))
    const last = page.kvs.at(-1)
    if (!page.more || !last || kvs.length >= limit) {
      const { cluster_id: clusterId, raft_term: raftTerm } = page.header
      return { clusterId, raftTerm: Number(raftTerm), revision, kvs }
    }
    key = Buffer.concat([last.key, Buffer.from([0])])
  }
}

/** A key as it was at a revision; null where there was none, `compacted` where etcd no longer has that revision. */
export async function keyAt(
  client: EtcdClient,
  key: string,
  revision: Revision,
): Promise<KeyValue | null | 'compacted'> {
  try {
    const { kvs } = await client.range({ ...oneKey(key), revision })
    return kvs[0] ? readKeyValue(kvs[0]) : null
  } catch (error) {
    if (isOutOfHistory(error)) return 'compacted'
    throw error
  }
}

/** Keys as of one revision, in this order; null for each that is not there. At most 128: etcd's limit. */
export async function readKeys(
  client: EtcdClient,
  keys: readonly string[],
  revision: Revision = 0,
): Promise<{ readonly revision: Revision; readonly kvs: readonly (KeyValue | null)[] }> {
  const success = keys.map((key) => ({ request_range: { ...oneKey(key), revision } }))
  const response = await client.txn({ success })
  return { revision: Number(response.header.revision), kvs: rangedIn(response) }
}

/** What the ranges of a transaction found, each of a key alone. */
export function rangedIn({ responses }: Pick<ITxnResponse, 'responses'>): (KeyValue | null)[] {
  return responses.map(({ response_range }) => {
    const [kv] = response_range.kvs
    return kv ? readKeyValue(kv) : null
  })
}

/** Whether etcd no longer has a revision that was asked for, or, set back, does not have it yet. */
export function isOutOfHistory(error: unknown): boolean {
  return (
    error instanceof DiscoError &&
    /required revision (has been compacted|is a future revision)/.test(error.message)
  )
}

export function readKeyValue(kv: IKeyValue): KeyValue {
  return {
    key: keyText(kv.key),
    value: kv.value,
    lease: kv.lease === '0' ? null : kv.lease,
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
  }
}
