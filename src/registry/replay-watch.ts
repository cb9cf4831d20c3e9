import type { Update } from '../domain/discovery.js'
import type { Revision } from '../domain/endpoint.js'
import { disposable } from './disposable-watch.js'
import { watchEndpoints } from './endpoint-watch.js'
import { openHistory } from './history.js'
import type { Registry } from './registry.js'
import { futureRevision } from './revisions.js'

/** A watch that begins at a past revision. */
export interface ReplayWatch {
  /** The newest revision when it was opened: changes up to it are past. */
  readonly newest: Revision
  /** The list as of that revision, then all changes after it, past and new. @throws DiscoError REVISION_UNAVAILABLE */
  readonly updates: AsyncGenerator<Update, void, void>
}

/**
 * Opens a watch of a service, or of all, that begins at a past revision.
 *
 * @throws DiscoError REVISION_UNAVAILABLE for a revision that etcd has not reached
 */
export async function openReplay(
  registry: Registry,
  service: string | undefined,
  since: Revision,
  signal: AbortSignal,
): Promise<ReplayWatch> {
  const history = await openHistory(registry, service, { signal })
  const { revision: newest } = history
  if (since > newest) throw futureRevision(since, newest)
  const { client, reader } = registry.internals({ signal })
  const updates = disposable((end) => watchEndpoints(client, reader, service, end, { since }), signal)
  return { newest, updates }
}
