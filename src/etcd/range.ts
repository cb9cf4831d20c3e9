import type { IKeyValue, ITxnResponse } from 'etcd3'
import type { LeaseId, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { keyText } from '../domain/key-text.js'
import type { EtcdClient } from './client.js'
import { etcdFault } from './error-texts.js'
import type { KeyRange } from './key-range.js'
import { oneKey } from './key-range.js'
import { type Page, pages } from './pages.js'

/** One key as etcd stores it. */
export interface KeyValue {
  /** As returned by `keyText`. */
  readonly key: string
  readonly value: Buffer
  readonly lease: LeaseId | null
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** A list under a prefix, all of it as of one revision. */
export interface Listing {
  readonly clusterId: string
  readonly raftTerm: number
  readonly revision: Revision
  readonly kvs: readonly KeyValue[]
}

/** Lists a range as of one revision. Starts over when that is compacted before the last page. */
export async function list(client: EtcdClient, range: KeyRange): Promise<Listing> {
  for (;;) {
    const kvs: KeyValue[] = []
    let last: Page | null = null
    try {
      for await (const page of pages(client, range, { keysOnly: false })) {
        for (const kv of page.kvs) kvs.push(readKeyValue(kv))
        last = page
      }
    } catch (error) {
      if (last !== null && isOutOfHistory(error)) continue
      throw error
    }
    if (last === null) throw new Error('a range has at least one page')
    const { cluster_id: clusterId, raft_term: raftTerm } = last.header
    return { clusterId, raftTerm: Number(raftTerm), revision: last.revision, kvs }
  }
}

/** A key as of a revision; null where it did not exist, `compacted` where etcd no longer has that revision. */
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

/** Keys as of one revision, in this order; null for each missing one. At most 128: etcd's limit. */
export async function readKeys(
  client: EtcdClient,
  keys: readonly string[],
  revision: Revision = 0,
): Promise<{ readonly revision: Revision; readonly kvs: readonly (KeyValue | null)[] }> {
  const success = keys.map((key) => ({ request_range: { ...oneKey(key), revision } }))
  const response = await client.txn({ success })
  return { revision: Number(response.header.revision), kvs: rangedIn(response) }
}

/** Results of a transaction with one-key ranges; null for a missing key. */
export function rangedIn({ responses }: Pick<ITxnResponse, 'responses'>): (KeyValue | null)[] {
  return responses.map(({ response_range }) => {
    const [kv] = response_range.kvs
    return kv ? readKeyValue(kv) : null
  })
}

/** Whether etcd no longer has the requested revision or, after a restore, does not have it yet. */
export function isOutOfHistory(error: unknown): boolean {
  const fault = error instanceof DiscoError ? etcdFault(String(error.cause)) : null
  return fault === 'compacted' || fault === 'future-revision'
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
