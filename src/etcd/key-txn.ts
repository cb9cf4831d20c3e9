import type { ICompare, IRequestOp, ITxnResponse } from 'etcd3'
import type { LeaseId, Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import { type KeyValue, readKeyValue } from './range.js'

/** What a transaction on one key came to: done at a revision, or refused by the key as it is now. */
export type Outcome =
  | { readonly done: true; readonly revision: Revision }
  | { readonly done: false; readonly found: KeyValue | null }

/** Puts a key that does not exist. */
export function createKey(
  client: EtcdClient,
  key: string,
  value: Uint8Array,
  lease: LeaseId,
): Promise<Outcome> {
  const compare: ICompare = { target: 'Create', result: 'Equal', create_revision: 0 }
  const put = { key: Buffer.from(key), value: Buffer.from(value), lease }
  return onKey(client, key, compare, { request_put: put }, { repeatable: true })
}

/** A key that nobody may have written since a revision. */
export interface Unchanged {
  readonly key: string
  readonly revision: Revision
}

/**
 * Puts a value under the key's own lease, if nobody wrote it since the revision. A plain put would detach the
 * lease and make the key immortal.
 *
 * @param repeatable whether the value would be the same, had it been written already.
 * @param witness another key that has to be as it was, too
 */
export function replaceValue(
  client: EtcdClient,
  { key, revision }: Unchanged,
  value: Uint8Array,
  repeatable: { repeatable: boolean },
  witness: Unchanged | null = null,
): Promise<Outcome> {
  const put = { key: Buffer.from(key), value: Buffer.from(value), ignore_lease: true }
  const more = witness ? [{ ...unchangedSince(witness.revision), key: Buffer.from(witness.key) }] : []
  return onKey(client, key, unchangedSince(revision), { request_put: put }, repeatable, more)
}

/** Puts a value under a lease of the caller's, if nobody wrote since `revision`. */
export function replaceUnder(
  client: EtcdClient,
  key: string,
  value: Uint8Array,
  lease: LeaseId,
  revision: Revision,
): Promise<Outcome> {
  const put = { key: Buffer.from(key), value: Buffer.from(value), lease }
  return onKey(client, key, unchangedSince(revision), { request_put: put }, { repeatable: true })
}

/** Deletes a key if it is (still) held by that lease. */
export function deleteHeldBy(client: EtcdClient, key: string, lease: LeaseId): Promise<Outcome> {
  const compare: ICompare = { target: 'Lease', result: 'Equal', lease }
  return onKey(
    client,
    key,
    compare,
    { request_delete_range: { key: Buffer.from(key) } },
    { repeatable: true },
  )
}

/** Deletes a key if nobody wrote it since `revision`. */
export function deleteUnchanged(client: EtcdClient, key: string, revision: Revision): Promise<Outcome> {
  const remove = { request_delete_range: { key: Buffer.from(key) } }
  return onKey(client, key, unchangedSince(revision), remove, { repeatable: true })
}

function unchangedSince(revision: Revision): ICompare {
  return { target: 'Mod', result: 'Equal', mod_revision: revision }
}

async function onKey(
  client: EtcdClient,
  key: string,
  compare: ICompare,
  success: IRequestOp,
  repeatable: { repeatable: boolean },
  more: readonly ICompare[] = [],
): Promise<Outcome> {
  const keyBytes = Buffer.from(key)
  const request = {
    compare: [{ ...compare, key: keyBytes }, ...more],
    success: [success],
    failure: [{ request_range: { key: keyBytes } }],
  }
  const response = await client.txn(request, repeatable)
  if (response.succeeded) return { done: true, revision: Number(response.header.revision) }
  return { done: false, found: foundIn(response) }
}

function foundIn(response: ITxnResponse): KeyValue | null {
  const kv = response.responses[0]?.response_range.kvs[0]
  return kv ? readKeyValue(kv) : null
}
