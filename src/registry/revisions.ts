import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from '../etcd/client.js'
import type { KeyRange } from '../etcd/key-range.js'
import { isOutOfHistory } from '../etcd/range.js'
import { oldestRevision } from '../etcd/replay.js'

/** The error for a revision that etcd has compacted. @param oldest the oldest revision that can be read */
export function compactedRevision(revision: Revision, oldest: Revision, newest: Revision): DiscoError {
  const usable = oldest === newest ? `revision ${newest}` : `revisions ${oldest} to ${newest}`
  return new DiscoError('REVISION_UNAVAILABLE', `etcd no longer has revision ${revision}: it was compacted`, {
    suggestions: [`Usable: ${usable}`],
  })
}

/** The error for a revision that etcd has not reached. */
export function futureRevision(revision: Revision, newest: Revision): DiscoError {
  const message = `etcd has not reached revision ${revision}: it is at ${newest}`
  return new DiscoError('REVISION_UNAVAILABLE', message)
}

/** The error of a read at a revision. If etcd does not have the revision, the error names those that can be read. */
export async function explainRevision(
  error: unknown,
  client: EtcdClient,
  range: KeyRange,
  revision: Revision,
): Promise<unknown> {
  if (!isOutOfHistory(error)) return error
  const { header } = await client.range({ key: range.key, keys_only: true })
  if (revision > header.revision) return futureRevision(revision, header.revision)
  const oldest = await oldestRevision(client, range, new AbortController().signal)
  return compactedRevision(revision, oldest, header.revision)
}
