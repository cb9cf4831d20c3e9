import { setTimeout as delay } from 'node:timers/promises'
import type { Abortable } from '../domain/abortable.js'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError, isLinkFailure } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { MAX_WRITES, writeIfUnchanged } from '../etcd/guarded-write.js'
import type { KeyValue } from '../etcd/pairs.js'
import { readKeys } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'
import { explainUnknown } from './etcd-refusals.js'
import { chooseRemoval, type EndpointSelection } from './selection.js'

/** Result of a removal. */
export interface Unregistered {
  readonly revision: Revision
  /** The removed endpoints; empty when there were none, or another client removed them first. */
  readonly removed: readonly Endpoint[]
  /**
   * Endpoints that stay registered: unreadable ones, which conditions do not select for a removal, and those that were
   * written since they were selected, and no longer match.
   */
  readonly leftOut: readonly Endpoint[]
  /** Whether other clients removed all selected endpoints first. */
  readonly wentMeanwhile: boolean
  /** Whether no dialable endpoint of the service remains. False if nothing was removed. */
  readonly isLast: boolean
  /** The error (no answer, or a denial) that prevented checking whether a registrar puts the key back. */
  readonly returnUnknown?: DiscoError
}

/** Options of a removal. */
export interface UnregisterOptions extends Abortable {
  /** Ends the wait for the key's return early, without an error. */
  readonly endWait?: AbortSignal | undefined
}

/** How long to wait for the key's return: a registrar that does not accept the removal puts it back at once. */
const RETURN_WATCH_MS = 1_000
const RETURN_POLL_MS = 100

/**
 * Deletes the keys of the selected endpoints, but not their leases. A selection without endpoints is not an error.
 * Several keys are deleted in one transaction if etcd's limits allow.
 *
 * A key that was written since the list is deleted only if it still matches.
 *
 * @param endpoints of the service, as listed at `revision`
 * @param endWait ends the wait for the keys' return
 * @throws DiscoError CONFLICT when an address matches several keys, or when a key comes back; OUTCOME_UNKNOWN
 */
export async function unregister(
  client: EtcdClient,
  reader: Reader,
  endpoints: readonly Endpoint[],
  selection: EndpointSelection,
  revision: Revision,
  endWait: AbortSignal,
): Promise<Unregistered> {
  const removal = chooseRemoval(endpoints, selection)
  const listed = [...new Map(removal.chosen.map((endpoint) => [endpoint.key, endpoint])).values()]
  const [first] = listed
  if (!first) return { revision, removed: [], leftOut: removal.leftOut, wentMeanwhile: false, isLast: false }
  const { service } = first
  const which = listed.length === 1 ? first.addr : `${listed.length} endpoints`
  const check = (endpoint: Endpoint, kv: KeyValue): readonly Endpoint[] => {
    const now = decodeEndpoints(reader, kv, selection.service)
    if (chooseRemoval(now, selection).chosen.length > 0) return []
    return now.length > 0 ? now : [endpoint]
  }
  const deleted = await deleteAll(client, listed, revision, check).catch((error: unknown) => {
    throw explainUnknown(
      error,
      `${service} ${which} may have been unregistered`,
      `Check whether it is still registered before you try again: disco ls ${service}`,
    )
  })
  const leftOut = [...removal.leftOut, ...deleted.kept]
  const keys = [...deleted.ours]
  if (keys.length === 0) {
    const wentMeanwhile = deleted.kept.length === 0
    return { revision: deleted.revision, removed: [], leftOut, wentMeanwhile, isLast: false }
  }
  const returnUnknown = await refuseReturn(client, keys, endWait).then(
    () => null,
    (error: unknown) => {
      // The removal itself has succeeded.
      if (endWait.aborted && error === endWait.reason) return null
      if (error instanceof DiscoError && (isLinkFailure(error) || error.code === 'ETCD_DENIED')) return error
      throw error
    },
  )
  const removed = endpoints.filter(({ key }) => deleted.ours.has(key))
  const isLast = endpoints.every(({ key, problem }) => deleted.ours.has(key) || problem !== null)
  const done = { revision: deleted.revision, removed, leftOut, wentMeanwhile: false, isLast }
  return returnUnknown === null ? done : { ...done, returnUnknown }
}

interface DeletedKeys {
  readonly revision: Revision
  /** The keys that this client deleted, rather than another. */
  readonly ours: ReadonlySet<string>
  /** The endpoints of keys that no longer match. */
  readonly kept: readonly Endpoint[]
}

/** Checks a key that was written since the list. Returns its endpoints if it must stay, none if it may be deleted. */
type Check = (listed: Endpoint, kv: KeyValue) => readonly Endpoint[]

async function deleteAll(
  client: EtcdClient,
  endpoints: readonly Endpoint[],
  listedAt: Revision,
  check: Check,
): Promise<DeletedKeys> {
  const ours = new Set<string>()
  const kept: Endpoint[] = []
  let revision = listedAt
  for (let at = 0; at < endpoints.length; at += MAX_WRITES) {
    const part = endpoints.slice(at, at + MAX_WRITES)
    const together = part.length > 1 ? await deleteTogether(client, part, listedAt) : null
    revision = together ?? revision
    for (const endpoint of part) {
      const alone = together === null ? await deleteKey(client, endpoint, listedAt, check) : null
      if (alone) revision = Math.max(revision, alone.revision)
      if (alone) kept.push(...alone.kept)
      if (alone?.isOurs ?? true) ours.add(endpoint.key)
    }
  }
  return { revision, ours, kept }
}

/** Deletes keys in one transaction; null if one was written since the list, so that none was deleted. */
async function deleteTogether(
  client: EtcdClient,
  endpoints: readonly Endpoint[],
  at: Revision,
): Promise<Revision | null> {
  const [first, ...rest] = endpoints.map(({ key, modRevision }) => ({
    seen: { key, revision: modRevision, at },
    value: null,
  }))
  if (!first) return null
  const outcome = await writeIfUnchanged(client, [first, ...rest])
  return outcome.done ? outcome.revision : null
}

/** Deletes the key, unless it was written since the list and no longer matches. */
async function deleteKey(
  client: EtcdClient,
  endpoint: Endpoint,
  listedAt: Revision,
  check: Check,
): Promise<{ readonly revision: Revision; readonly isOurs: boolean; readonly kept: readonly Endpoint[] }> {
  const { key, modRevision } = endpoint
  let seen = { key, revision: modRevision, at: listedAt }
  for (;;) {
    const outcome = await writeIfUnchanged(client, [{ seen, value: null }])
    const { revision } = outcome
    if (outcome.done) return { revision, isOurs: true, kept: [] }
    if (!outcome.found) return { revision, isOurs: false, kept: [] }
    const kept = check(endpoint, outcome.found)
    if (kept.length > 0) return { revision, isOurs: false, kept }
    seen = { key, revision: outcome.found.modRevision, at: revision }
  }
}

/** @throws DiscoError CONFLICT when a key comes back */
async function refuseReturn(client: EtcdClient, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const end = performance.now() + RETURN_WATCH_MS
  while (performance.now() < end && !signal.aborted) {
    await delay(RETURN_POLL_MS, undefined, { signal }).catch(() => undefined)
    for (let at = 0; at < keys.length; at += MAX_WRITES) {
      const { kvs } = await readKeys(client, keys.slice(at, at + MAX_WRITES))
      const back = kvs.find((kv) => kv !== null)
      if (!back) continue
      throw new DiscoError('CONFLICT', `${back.key} came back: its registrar put it back`, {
        suggestions: ['Stop the process that registers it'],
      })
    }
  }
}
