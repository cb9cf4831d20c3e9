import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'

/** The error for a revision whose history etcd has removed. @param oldest the first that is left */
export function compactedRevision(revision: Revision, oldest: Revision, newest: Revision): DiscoError {
  return new DiscoError('REVISION_UNAVAILABLE', `etcd no longer has revision ${revision}: it was compacted`, {
    suggestions: [usable(oldest, newest)],
  })
}

/** The error for a revision that etcd has not reached. */
export function futureRevision(revision: Revision, newest: Revision): DiscoError {
  return new DiscoError(
    'REVISION_UNAVAILABLE',
    `etcd has not reached revision ${revision}: it is at ${newest}`,
  )
}

function usable(oldest: Revision, newest: Revision): string {
  return oldest === newest ? `Usable: revision ${newest}` : `Usable: revisions ${oldest} to ${newest}`
}
