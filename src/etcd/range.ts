import type { IKeyValue, ITxnResponse } from 'etcd3'
import { leaseIdOf, type Revision } from '../domain/endpoint.js'
import { keyText } from '../domain/key-text.js'
import type { EtcdClient } from './client.js'
import { faultOf } from './error-texts.js'
import { oneKey } from './key-range.js'
import type { KeyValue } from './pairs.js'

/** A key as of a revision; null if it did not exist, `compacted` if etcd no longer has that revision. */
export async function keyAt(
  client: EtcdClient,
  key: string,
  revision: Revision,
): Promise<KeyValue | null | 'compacted'> {
  try {
    const { pairs } = await client.range({ ...oneKey(key), revision })
    return pairs.length > 0 ? pairs.at(0) : null
  } catch (error) {
    if (isOutOfHistory(error)) return 'compacted'
    throw error
  }
}

/**
 * Key-values as of one revision, in the order of `keys`; null for a missing key. At most 128 keys, etcd's limit.
 *
 * @param revision 0 for the newest
 */
export async function readKeys(
  client: EtcdClient,
  keys: readonly string[],
  revision: Revision = 0,
): Promise<{ readonly revision: Revision; readonly kvs: readonly (KeyValue | null)[] }> {
  const success = keys.map((key) => ({ request_range: { ...oneKey(key), revision } }))
  const response = await client.txn({ success })
  return { revision: Number(response.header.revision), kvs: rangedIn(response) }
}

/** The key-values in the responses to a transaction of one-key ranges; null for a missing key. */
export function rangedIn({ responses }: Pick<ITxnResponse, 'responses'>): (KeyValue | null)[] {
  return responses.map(({ response_range }) => {
    const [kv] = response_range.kvs
    return kv ? readKeyValue(kv) : null
  })
}

/** Whether etcd no longer has the requested revision or, after a restore, does not have it yet. */
export function isOutOfHistory(error: unknown): boolean {
  const fault = faultOf(error)
  return fault === 'compacted' || fault === 'future-revision'
}

export function readKeyValue(kv: IKeyValue): KeyValue {
  return {
    key: keyText(kv.key),
    value: kv.value,
    lease: kv.lease === '0' ? null : leaseIdOf(kv.lease),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
  }
}
