import type { Change, Update } from '../domain/discovery.js'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { ALL_ENDPOINTS, type EndpointFilter, isChosen, isUnfiltered } from '../domain/endpoint-filter.js'
import type { DiscoError } from '../domain/errors.js'
import { type EndpointEvent, eventsBetween } from '../domain/events.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'
import type { Snapshot } from '../domain/snapshot.js'
import type { Registry } from './registry.js'

/**
 * Why an endpoint was removed. Expiry and deletion are the same event: only the lease, alive or not, distinguishes
 * them.
 */
export type GoneReason = 'deregistered' | 'lease ended' | 'unknown'

/** An endpoint's part of the service's traffic before and after a change, from 0 to 1. */
export interface ShareChange {
  readonly from: number
  readonly to: number
}

export type RegistryEvent =
  /** The list was read. `isPast`: it is the list of a past revision. */
  | { readonly type: 'synced'; readonly revision: Revision; readonly isPast?: true }
  | { readonly type: 'stale'; readonly sinceMs: number; readonly cause: DiscoError }
  | {
      readonly type: 'resync'
      readonly revision: Revision
      /** Revisions of the whole cluster that were missed; null if their changes follow. */
      readonly missedRevisions: number | null
      /** Number of events that follow for this update. */
      readonly changes: number
    }
  | (EndpointEvent & {
      readonly revision: Revision
      readonly share: ShareChange
      readonly reason?: GoneReason
      /** The change was made before the watch began. */
      readonly isPast?: true
    })

export interface WatchEvent {
  /** The registry, if several are watched. */
  readonly registry?: string
  readonly event: RegistryEvent
  /** As of the event's revision, or a later one: later updates change it in place. */
  readonly snapshot: Snapshot
}

/**
 * Converts the updates of one service, or of all services, to events for display and JSON. `synced` or `stale` comes
 * first. The cost of an update depends only on its changes, not on the number of endpoints.
 *
 * @param filter selects the endpoints whose events are wanted; shares are always those within the whole service
 * @param pastUntil the newest revision when the watch began, if it began at an older one
 */
export async function* registryEvents(
  registry: Pick<Registry, 'leaseLives'>,
  updates: AsyncIterable<Update>,
  filter: EndpointFilter = ALL_ENDPOINTS,
  pastUntil: Revision = 0,
): AsyncGenerator<WatchEvent, void, void> {
  const snapshot = new LiveSnapshot()
  for await (const update of updates) {
    if (update.type === 'stale') {
      yield { event: update, snapshot }
      continue
    }
    if (update.type === 'reset') {
      snapshot.apply(update)
      const past = update.revision < pastUntil ? { isPast: true as const } : {}
      yield { event: { type: 'synced', revision: update.revision, ...past }, snapshot }
      continue
    }
    const { revision } = update
    const before = statesOf(snapshot, update.changes)
    snapshot.apply(update)
    const events = eventsBetween(before, snapshot, before.byKey.keys()).filter((event) =>
      concerns(filter, event),
    )
    if (update.type === 'resync') {
      const { missedRevisions } = update
      yield { event: { type: 'resync', revision, missedRevisions, changes: events.length }, snapshot }
    }
    const after = statesOf(snapshot, update.changes)
    for (const event of events) {
      const { endpoint } = event
      const share = { from: before.shareOf(endpoint), to: after.shareOf(endpoint) }
      const past = revision <= pastUntil ? { isPast: true as const } : {}
      const reason = event.type === 'gone' ? { reason: await whyGone(registry, endpoint, past) } : {}
      yield { event: { ...event, revision, share, ...reason, ...past }, snapshot }
    }
  }
}

/** Whether an endpoint meets a filter, or met it before the event. */
export function concerns(filter: EndpointFilter, event: EndpointEvent): boolean {
  if (isUnfiltered(filter) || isChosen(filter, event.endpoint)) return true
  if (event.type === 'updated') return isChosen(filter, event.before)
  return event.type === 'weight' && isChosen(filter, { ...event.endpoint, weight: event.from })
}

/** The changed keys of an update, before or after it: their endpoints, and the shares of these. */
interface KeyStates {
  readonly byKey: ReadonlyMap<string, readonly Endpoint[]>
  /** From 0 to 1; 0 for an endpoint that is not among them. */
  shareOf(endpoint: Endpoint): number
}

function statesOf(snapshot: LiveSnapshot, changes: readonly Change[]): KeyStates {
  const byKey = new Map(changes.map(({ key }) => [key, snapshot.byKey.get(key) ?? []]))
  const shares = new Map<Endpoint, number>()
  for (const endpoints of byKey.values()) {
    for (const endpoint of endpoints) shares.set(endpoint, snapshot.shareOf(endpoint))
  }
  const shareOf = ({ key, addr, service }: Endpoint) => {
    const found = byKey.get(key)?.find((other) => other.addr === addr && other.service === service)
    return (found && shares.get(found)) ?? 0
  }
  return { byKey, shareOf }
}

/**
 * Why an endpoint was removed. A key without a lease cannot expire. If the lease of a past removal is not alive now, the
 * reason is unknown: the lease may have ended after the removal.
 */
async function whyGone(
  registry: Pick<Registry, 'leaseLives'>,
  { lease }: Endpoint,
  { isPast = false }: { readonly isPast?: boolean },
): Promise<GoneReason> {
  if (lease === null) return 'deregistered'
  try {
    if (await registry.leaseLives(lease)) return 'deregistered'
    return isPast ? 'unknown' : 'lease ended'
  } catch {
    return 'unknown'
  }
}
