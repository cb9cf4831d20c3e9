import { setTimeout as delay } from 'node:timers/promises'
import type { Abortable } from '../domain/abortable.js'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError, isLinkFailure } from '../domain/errors.js'
import type { EtcdClient } from '../etcd/client.js'
import { writeIfUnchanged } from '../etcd/guarded-write.js'
import { oneKey } from '../etcd/key-range.js'
import { list } from '../etcd/list.js'
import { type EndpointSelection, matchEndpoints, requireOneKey } from './selection.js'
import { explainUnknown } from './unknown-outcome.js'

/** Result of a removal. */
export interface Unregistered {
  readonly revision: Revision
  /** The removed endpoints; empty when there were none, or another client removed them first. */
  readonly removed: readonly Endpoint[]
  /** Whether the endpoint was listed, and another client removed it first. */
  readonly wentMeanwhile: boolean
  /** The error (no answer, or a denial) that prevented checking whether a registrar puts the key back. */
  readonly returnUnknown?: DiscoError
}

export interface UnregisterOptions extends Abortable {
  /** Ends the wait for the key's return early, without an error. */
  readonly endWait?: AbortSignal | undefined
}

/** How long to wait for the key's return: a registrar that does not accept the removal puts it back at once. */
const RETURN_WATCH_MS = 1_000
const RETURN_POLL_MS = 100

/**
 * Deletes the key of an endpoint and leaves its lease to its owner. An endpoint that is not listed is not an error.
 *
 * @param endpoints of the service, as listed at `revision`
 * @param endWait ends the wait for the key's return
 * @throws DiscoError CONFLICT when several keys match, or when the key comes back; OUTCOME_UNKNOWN
 */
export async function unregister(
  client: EtcdClient,
  endpoints: readonly Endpoint[],
  selection: EndpointSelection,
  revision: Revision,
  endWait: AbortSignal,
): Promise<Unregistered> {
  const matches = matchEndpoints(endpoints, selection)
  if (selection.addr !== null) requireOneKey(matches, selection.addr)
  const [endpoint] = matches
  if (!endpoint) return { revision, removed: [], wentMeanwhile: false }
  const { key, addr, service } = endpoint
  const deleted = await deleteKey(client, endpoint, revision).catch((error: unknown) => {
    throw explainUnknown(
      error,
      `${service} ${addr} may have been unregistered`,
      `See whether it stands, and repeat it then: disco ls ${service}`,
    )
  })
  if (!deleted.isOurs) return { revision: deleted.revision, removed: [], wentMeanwhile: true }
  const returnUnknown = await refuseReturn(client, endpoint, endWait).then(
    () => null,
    (error: unknown) => {
      // The removal itself has succeeded.
      if (error instanceof DiscoError && (isLinkFailure(error) || error.code === 'ETCD_DENIED')) return error
      throw error
    },
  )
  const removed = endpoints.filter((other) => other.key === key)
  const done = { revision: deleted.revision, removed, wentMeanwhile: false }
  return returnUnknown === null ? done : { ...done, returnUnknown }
}

/** Deletes the key, even if it was written since the list. */
async function deleteKey(
  client: EtcdClient,
  { key, modRevision }: Endpoint,
  listedAt: Revision,
): Promise<{ readonly revision: Revision; readonly isOurs: boolean }> {
  let seen = { key, revision: modRevision, at: listedAt }
  for (;;) {
    const outcome = await writeIfUnchanged(client, [{ seen, value: null }])
    const { revision } = outcome
    if (outcome.done) return { revision, isOurs: true }
    if (!outcome.found) return { revision, isOurs: false }
    seen = { key, revision: outcome.found.modRevision, at: revision }
  }
}

/** @throws DiscoError CONFLICT when the key comes back */
async function refuseReturn(client: EtcdClient, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const end = performance.now() + RETURN_WATCH_MS
  while (performance.now() < end && !signal.aborted) {
    await delay(RETURN_POLL_MS, undefined, { signal }).catch(() => undefined)
    const { kvs } = await list(client, oneKey(endpoint.key))
    if (kvs.length === 0) continue
    throw new DiscoError('CONFLICT', `${endpoint.key} came back: its registrar put it back`, {
      suggestions: ['Stop the process that registers it'],
    })
  }
}
