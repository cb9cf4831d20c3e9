import type { Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import type { KeyValue } from './pairs.js'
import { keyAt } from './range.js'

/** A key as it was read, with its revisions. */
export interface KeyRead {
  readonly key: string
  /** Its mod revision; 0 if it did not exist. */
  readonly revision: Revision
  /** Revision of the read. */
  readonly at: Revision
}

/** One change of a key: its key-value afterwards, or null for a deletion. */
export interface KeyChange {
  readonly revision: Revision
  readonly kv: KeyValue | null
}

/**
 * Finds the first change of a key after a read, by bisection of etcd's history.
 *
 * @returns null if it had not changed by `until`, `compacted` if etcd has compacted that history
 */
export async function firstChange(
  client: EtcdClient,
  seen: KeyRead,
  until: Revision,
): Promise<KeyChange | null | 'compacted'> {
  let unchangedAt = seen.at
  let first = await changeBy(client, seen, until)
  while (first !== null && first !== 'compacted' && unchangedAt + 1 < first.revision) {
    const between = Math.floor((unchangedAt + first.revision) / 2)
    const earlier = await changeBy(client, seen, between)
    if (earlier === null) unchangedAt = between
    else first = earlier
  }
  return first
}

/**
 * The last change of a key up to a revision; null if there was none since the read. A deletion gets the revision
 * `until`, because etcd does not report its own.
 */
async function changeBy(
  client: EtcdClient,
  { key, revision }: KeyRead,
  until: Revision,
): Promise<KeyChange | null | 'compacted'> {
  const kv = await keyAt(client, key, until)
  if (kv === 'compacted') return kv
  if ((kv?.modRevision ?? 0) === revision) return null
  // A key-value carries the revision of its change; a deletion does not.
  return { revision: kv?.modRevision ?? until, kv }
}
