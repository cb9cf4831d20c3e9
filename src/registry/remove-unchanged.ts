import type { Endpoint, Revision } from '../domain/endpoint.js'
import { writeIfUnchanged } from '../etcd/guarded-write.js'
import type { Registry } from './registry.js'

/**
 * Deletes the key of an endpoint if it has not changed since it was listed.
 *
 * @param keeper another endpoint whose key must also be unchanged; null if there is no such condition
 * @param listedAt the revision of the list
 * @returns `gone` if the key no longer exists, `changed` if it or the keeper's key was written since the list
 * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED, OUTCOME_UNKNOWN
 */
export async function removeUnchanged(
  registry: Registry,
  { key, modRevision }: Endpoint,
  keeper: Endpoint | null,
  listedAt: Revision,
): Promise<{ readonly outcome: 'removed' | 'changed' | 'gone'; readonly revision: Revision }> {
  const { client } = registry.internals()
  const seen = { key, revision: modRevision, at: listedAt }
  const unchanged = keeper && { key: keeper.key, revision: keeper.modRevision }
  const outcome = await writeIfUnchanged(client, [{ seen, value: null }], unchanged)
  const { revision } = outcome
  if (outcome.done) return { outcome: 'removed', revision }
  return { outcome: outcome.found === null ? 'gone' : 'changed', revision }
}
