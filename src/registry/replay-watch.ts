import type { Update } from '../domain/discovery.js'
import type { Revision } from '../domain/endpoint.js'
import { isOutOfHistory } from '../etcd/range.js'
import { disposable } from './disposable-watch.js'
import { watchEndpoints } from './endpoint-watch.js'
import { type History, openHistory } from './history.js'
import type { Registry } from './registry.js'
import { futureRevision } from './revisions.js'

/** A watch that begins at a past revision. */
export interface ReplayWatch {
  /** The newest revision when it was opened: changes up to it are past. */
  readonly newest: Revision
  /** The list as of the revision, the changes since, and later ones. @throws DiscoError REVISION_UNAVAILABLE */
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
  return { newest, updates: updates(registry, service, since, { signal, history }) }
}

async function* updates(
  registry: Registry,
  service: string | undefined,
  since: Revision,
  { signal, history }: { readonly signal: AbortSignal; readonly history: History },
): AsyncGenerator<Update, void, void> {
  try {
    const { client, reader } = registry.internals({ signal })
    yield* disposable((end) => watchEndpoints(client, reader, service, end, { since }), signal)
  } catch (thrown) {
    if (!isOutOfHistory(thrown)) throw thrown
    // A list does not say what etcd still has; the beginning of its history does.
    for await (const _ of history.changes({ after: since, onCompacted: 'fail' })) break
    throw thrown
  }
}
