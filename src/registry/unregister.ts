import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from '../etcd/client.js'
import { deleteUnchanged } from '../etcd/key-txn.js'
import { list, oneKey } from '../etcd/range.js'
import { type EndpointSelection, matchEndpoints, requireOneKey } from './selection.js'

/** What a removal came to. */
export interface Unregistered {
  readonly revision: Revision
  /** What stood there; empty when nothing did. */
  readonly removed: readonly Endpoint[]
}

/** A registrar that does not accept the removal puts its key back at once; this long is looked for it. */
const RETURN_WATCH_MS = 1_000
const RETURN_POLL_MS = 100

/** Deletes the key and leaves its lease to its owner. @throws DiscoError CONFLICT when the key comes back */
export async function unregister(
  client: EtcdClient,
  endpoints: readonly Endpoint[],
  selection: EndpointSelection,
  revision: Revision,
  signal: AbortSignal,
): Promise<Unregistered> {
  const matches = matchEndpoints(endpoints, selection)
  if (selection.addr !== null) requireOneKey(matches, selection.addr)
  const [endpoint] = matches
  if (!endpoint) return { revision, removed: [] }
  const deletedAt = await deleteKey(client, endpoint)
  await refuseReturn(client, endpoint, signal)
  return { revision: deletedAt, removed: endpoints.filter(({ key }) => key === endpoint.key) }
}

async function deleteKey(client: EtcdClient, endpoint: Endpoint): Promise<Revision> {
  let seen = endpoint.modRevision
  for (;;) {
    const outcome = await deleteUnchanged(client, endpoint.key, seen)
    if (outcome.done) return outcome.revision
    if (!outcome.found) return seen
    seen = outcome.found.modRevision
  }
}

async function refuseReturn(client: EtcdClient, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const end = performance.now() + RETURN_WATCH_MS
  while (performance.now() < end && !signal.aborted) {
    await delay(RETURN_POLL_MS, undefined, { signal }).catch(() => undefined)
    const { kvs } = await list(client, oneKey(endpoint.key))
    if (kvs.length === 0) continue
    throw new DiscoError('CONFLICT', `${endpoint.key} came back: a registrar puts it there again`, {
      suggestions: ['Stop the process that registers it'],
    })
  }
}
