import type { ICompare, IRequestOp } from 'etcd3'
import { type LeaseId, leaseDecimal, type Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import { firstChange, type KeyRead } from './first-change.js'
import { oneKey } from './key-range.js'
import type { KeyValue } from './pairs.js'
import { rangedIn, readKeys } from './range.js'
import { type Outcome, sendWrite, unknownOutcome } from './write-outcome.js'

/** A key and the mod revision that it must still have; 0 for a key that must not exist. */
export type ExpectedRevision = Pick<KeyRead, 'key' | 'revision'>

/** The new state of a key that was read. */
export interface Write {
  readonly seen: KeyRead
  /** Null deletes the key. */
  readonly value: Uint8Array | null
  /**
   * The lease to attach the key to; null to write a key without a lease, which does not expire. By default the key
   * keeps its lease: a put without a lease would detach it, and the key would never expire.
   */
  readonly lease?: LeaseId | null
}

/** Maximum number of writes in one transaction: etcd's limit of 128 comparisons, less one for `alsoUnchanged`. */
export const MAX_WRITES = 127

/**
 * Maximum total size of the values in one transaction. The rest of etcd's limit of 1.5 MiB per request
 * (`--max-request-bytes`) is for keys and comparisons.
 */
export const MAX_VALUE_BYTES = 1_000_000

/**
 * Writes several keys atomically if none of them was written since it was read.
 *
 * If an answer is lost, the transaction is sent again: it is applied at most once, because it compares the revisions of
 * its keys. If the second delivery is refused, etcd's history shows whether the first was applied: only the first
 * change of a key after its read can be ours. If that change equals ours, the outcome is done, with the proof `read
 * back`. This suffices for a caller that writes an absolute value, but not for one that changes the previous value.
 *
 * @param alsoUnchanged another key that must also be unchanged
 * @throws DiscoError OUTCOME_UNKNOWN if etcd remains unreachable after a lost answer, or has compacted that history
 */
export async function writeIfUnchanged(
  client: EtcdClient,
  writes: readonly [Write, ...Write[]],
  alsoUnchanged: ExpectedRevision | null = null,
): Promise<Outcome> {
  const guards = [...writes.map(({ seen }) => seen), ...(alsoUnchanged ? [alsoUnchanged] : [])]
  const request = {
    compare: guards.map(unchanged),
    success: writes.map(operation),
    failure: writes.map(({ seen }) => ({ request_range: oneKey(seen.key) })),
  }
  const { response, isRepeated } = await sendWrite(client, writes[0].seen.key, request)
  const revision = Number(response.header.revision)
  if (response.succeeded) return { done: true, revision, proof: 'answer' }
  const found = rangedIn(response)
  const made = isRepeated ? await readBack(client, writes, revision) : null
  if (made === null) return { done: false, revision, found: found[0] ?? null }
  return { done: true, revision: made, proof: 'read back', current: found }
}

/** @returns the revision at which all of the writes were made; null if they were not */
async function readBack(
  client: EtcdClient,
  writes: readonly [Write, ...Write[]],
  until: Revision,
): Promise<Revision | null> {
  const { key } = writes[0].seen
  const change = await firstChange(client, writes[0].seen, until).catch((error: unknown) => {
    throw unknownOutcome(key, error)
  })
  if (change === 'compacted') {
    throw unknownOutcome(key, new DiscoError('CONFLICT', "etcd's history of that time is compacted"))
  }
  if (change === null) return null
  const { revision } = change
  const keys = writes.map(({ seen }) => seen.key)
  const { kvs } = await readKeys(client, keys, revision).catch((error: unknown) => {
    throw unknownOutcome(key, error)
  })
  return writes.every((write, index) => isMade(write, kvs[index] ?? null, revision)) ? revision : null
}

/** Whether a key-value, or its absence, is the result of a write at this revision. */
export function isMade({ value, lease }: Write, kv: KeyValue | null, revision: Revision): boolean {
  if (value === null || kv === null) return value === null && kv === null
  if (lease !== undefined && kv.lease !== lease) return false
  return kv.modRevision === revision && kv.value.equals(value)
}

/** The comparison that fails if the key was written since. */
export function unchanged({ key, revision }: ExpectedRevision): ICompare {
  return { target: 'Mod', result: 'Equal', mod_revision: revision, ...oneKey(key) }
}

/** The operation of a write. */
export function operation({ seen, value, lease }: Write): IRequestOp {
  if (value === null) return { request_delete_range: oneKey(seen.key) }
  const under =
    lease === undefined ? { ignore_lease: true } : { lease: lease === null ? 0 : leaseDecimal(lease) }
  return { request_put: { ...oneKey(seen.key), value: Buffer.from(value), ...under } }
}
