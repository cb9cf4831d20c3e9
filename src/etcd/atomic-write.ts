import type { IRequestOp } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import { faultOf } from './error-texts.js'
import { firstChange } from './first-change.js'
import { isMade, operation, unchanged, type Write } from './guarded-write.js'
import type { KeyRange } from './key-range.js'
import { readKeys } from './range.js'
import { sendWrite, unknownOutcome } from './write-outcome.js'

/** etcd's limit of operations in a transaction, and of comparisons: `--max-txn-ops`. */
export const MAX_OPERATIONS = 128

/**
 * Number of operations in a nested transaction. etcd allows 128 minus the operations of the enclosing transaction
 * (checkTxnRequest), so 64 transactions of 64 operations fit in one.
 */
const NESTED = MAX_OPERATIONS / 2

/** Maximum number of keys in one transaction. */
export const MAX_ATOMIC_WRITES = NESTED * NESTED

/** Maximum total size of the values in one transaction. The rest of etcd's limit of 1.5 MiB per request is for keys. */
export const MAX_ATOMIC_BYTES = 1_000_000

/**
 * The outcome: done at a revision, or refused because a key has changed. The revision of a refusal is etcd's newest
 * one; null if unknown.
 */
export type AtomicOutcome =
  | { readonly done: true; readonly revision: Revision }
  | { readonly done: false; readonly revision: Revision | null }

/**
 * Puts up to 4,096 keys, each under its own lease, in one transaction: all of them, or none. etcd refuses the
 * transaction if a key of the ranges was created or written since the list, or if a key to write was deleted. One
 * comparison covers a whole range. Up to etcd's limit of comparisons, each key is also compared by itself.
 *
 * If an answer is lost, the transaction is sent again, and is applied at most once. If the second delivery is
 * refused, etcd's history shows whether the first was applied.
 *
 * @param writes all read at the revision `listedAt`; values, no deletions
 * @throws DiscoError OUTCOME_UNKNOWN if etcd remains unreachable after a lost answer, or has compacted that history
 */
export async function writeAtomically(
  client: EtcdClient,
  writes: readonly [Write, ...Write[]],
  ranges: readonly KeyRange[],
  listedAt: Revision,
): Promise<AtomicOutcome> {
  const [{ seen: first }] = writes
  const ofRanges = ranges.map((range) => ({
    target: 'Mod' as const,
    result: 'Less' as const,
    mod_revision: listedAt + 1,
    ...range,
  }))
  const each = writes.length + ranges.length <= MAX_OPERATIONS
  const compare = [...ofRanges, ...(each ? writes.map(({ seen }) => unchanged(seen)) : [])]
  try {
    const request = { compare, success: nested(writes.map(operation)) }
    const { response, isRepeated } = await sendWrite(client, first.key, request)
    const revision = Number(response.header.revision)
    if (response.succeeded) return { done: true, revision }
    const made = isRepeated ? await madeBefore(client, writes, revision) : null
    return made === null ? { done: false, revision } : { done: true, revision: made }
  } catch (error) {
    // A key was deleted, so that its lease cannot be kept. etcd checks all puts before it applies one.
    if (faultOf(error) === 'key-not-found') return { done: false, revision: null }
    throw error
  }
}

/** Splits more than 128 operations into nested transactions. */
function nested(operations: readonly IRequestOp[]): IRequestOp[] {
  if (operations.length <= MAX_OPERATIONS) return [...operations]
  const groups: IRequestOp[] = []
  for (let at = 0; at < operations.length; at += NESTED) {
    groups.push({ request_txn: { success: operations.slice(at, at + NESTED) } })
  }
  return groups
}

/** The revision at which all of the writes were made together; null if they were not. */
async function madeBefore(
  client: EtcdClient,
  writes: readonly [Write, ...Write[]],
  until: Revision,
): Promise<Revision | null> {
  const { key } = writes[0].seen
  try {
    const change = await firstChange(client, writes[0].seen, until)
    if (change === 'compacted') {
      throw new DiscoError('CONFLICT', "etcd's history of that time is compacted")
    }
    if (change === null) return null
    for (let at = 0; at < writes.length; at += MAX_OPERATIONS) {
      const part = writes.slice(at, at + MAX_OPERATIONS)
      const { kvs } = await readKeys(
        client,
        part.map(({ seen }) => seen.key),
        change.revision,
      )
      if (!part.every((write, index) => isMade(write, kvs[index] ?? null, change.revision))) return null
    }
    return change.revision
  } catch (error) {
    throw unknownOutcome(key, error)
  }
}
