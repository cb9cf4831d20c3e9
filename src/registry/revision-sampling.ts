import type { AnswerListener } from '../etcd/client.js'
import { defaultCacheFolder } from './cache.js'
import type { Registry } from './registry.js'
import { RevisionLog } from './revision-log.js'

/** Period of samples of one process. `RevisionLog` has a period for all processes together. */
const PERIOD_MS = 60_000

/** The samples in the user's cache folder; null for a user without a home folder. */
export function revisionLog(env: NodeJS.ProcessEnv): RevisionLog | null {
  const folder = defaultCacheFolder(env)
  return folder === null ? null : new RevisionLog(folder)
}

/**
 * Samples the revisions in etcd's answers: once a minute, a line in the user's cache folder. Requests are not delayed.
 */
export function sampleRevisions(registry: Registry, env: NodeJS.ProcessEnv): void {
  const log = revisionLog(env)
  if (log === null) return
  let nextMs = 0
  const listener: AnswerListener = ({ clusterId, revision, raftTerm }, tookMs) => {
    if (performance.now() < nextMs) return
    nextMs = performance.now() + PERIOD_MS
    const receivedMs = Date.now()
    // Never rejects.
    void log.add(clusterId, { revision, raftTerm, receivedMs, sentMs: receivedMs - tookMs })
  }
  registry.internals().client.listen(listener)
}
