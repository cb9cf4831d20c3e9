import type { Update } from '../domain/discovery.js'
import type { Endpoint, EndpointId, Revision } from '../domain/endpoint.js'
import { endpointId } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { type EndpointEvent, eventsBetween } from '../domain/events.js'
import { shareWithin } from '../domain/shares.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../domain/snapshot.js'
import type { Registry } from './registry.js'

/** Why an endpoint went: etcd tells expiry and deletion apart only by whether the lease still lives. */
export type GoneReason = 'deregistered' | 'lease ended' | 'unknown'

export interface ShareChange {
  readonly from: number
  readonly to: number
}

export type RegistryEvent =
  | { readonly type: 'synced'; readonly revision: Revision }
  | { readonly type: 'stale'; readonly sinceMs: number; readonly cause: DiscoError }
  | {
      readonly type: 'resync'
      readonly revision: Revision
      /** Revisions of the whole cluster that went by unseen; null where they will still be told. */
      readonly missedRevisions: number | null
      readonly changes: number
    }
  | (EndpointEvent & {
      readonly revision: Revision
      readonly share: ShareChange
      readonly reason?: GoneReason
    })

export interface WatchEvent {
  readonly event: RegistryEvent
  /** What stands after the event's revision. */
  readonly snapshot: Snapshot
}

/** A service's updates (or all services') as events for people and scripts; `synced` or `stale` comes first. */
export async function* registryEvents(
  registry: Registry,
  updates: AsyncIterable<Update>,
): AsyncGenerator<WatchEvent, void, void> {
  let snapshot = EMPTY_SNAPSHOT
  for await (const update of updates) {
    const before = snapshot
    snapshot = apply(snapshot, update)
    if (update.type === 'stale') yield { event: update, snapshot }
    else if (update.type === 'reset') {
      yield { event: { type: 'synced', revision: update.revision }, snapshot }
    } else {
      const { revision } = update
      const events = eventsBetween(
        before,
        snapshot,
        update.changes.map(({ key }) => key),
      )
      if (update.type === 'resync') {
        const { missedRevisions } = update
        yield { event: { type: 'resync', revision, missedRevisions, changes: events.length }, snapshot }
      }
      const shares = { before: sharesById(before, events), after: sharesById(snapshot, events) }
      for (const event of events) {
        const id = endpointId(event.endpoint)
        const share = { from: shares.before.get(id) ?? 0, to: shares.after.get(id) ?? 0 }
        const reason = event.type === 'gone' ? { reason: await whyGone(registry, event.endpoint) } : {}
        yield { event: { ...event, revision, share, ...reason }, snapshot }
      }
    }
  }
}

/** A key without a lease cannot expire. */
async function whyGone(registry: Registry, { lease }: Endpoint): Promise<GoneReason> {
  if (lease === null) return 'deregistered'
  try {
    return (await registry.leaseLives(lease)) ? 'deregistered' : 'lease ended'
  } catch {
    return 'unknown'
  }
}

/** The shares of the endpoints that the events are about; those that are not there have none. */
function sharesById(snapshot: Snapshot, events: readonly EndpointEvent[]): Map<EndpointId, number> {
  const shares = new Map<EndpointId, number>()
  const all = events.length === 0 ? [] : endpointsOf(snapshot)
  for (const name of new Set(events.map(({ endpoint }) => endpoint.service))) {
    const shareOf = shareWithin(all.filter(({ service }) => service === name))
    for (const { endpoint } of events) {
      const now = snapshot.byKey
        .get(endpoint.key)
        ?.find(({ addr, service }) => addr === endpoint.addr && service === name)
      if (now) shares.set(endpointId(now), shareOf(now))
    }
  }
  return shares
}
