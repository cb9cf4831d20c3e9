import { roundShare } from '../../domain/documents.js'
import { ALL_ENDPOINTS, chosenOf, type EndpointFilter } from '../../domain/endpoint-filter.js'
import { weightsAreUnset } from '../../domain/shares.js'
import { endpointsOf } from '../../domain/snapshot.js'
import type { GoneReason, WatchEvent } from '../../registry/events.js'

interface Shares {
  readonly from: number
  readonly to: number
}

interface OfEndpoint {
  readonly schema: 'disco.event/v1'
  readonly rev: string
  readonly service: string
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly layout: string
}

/** One line of `watch` and `register`. */
export type EventDoc = AnyEventDoc & {
  /** The registry that `rev` belongs to; only if several registries are watched. */
  readonly registry?: string
  /** Only with --since: the event is the first list, or a change from before the start of the watch. */
  readonly past?: true
}

type AnyEventDoc =
  | {
      readonly schema: 'disco.event/v1'
      readonly type: 'synced'
      readonly rev: string
      readonly service?: string
      readonly endpoints: number
      readonly weight: number
      readonly weightsUnset: boolean
    }
  | (OfEndpoint & {
      readonly type: 'added'
      readonly weight: number
      readonly problem: string | null
      readonly share: number
    })
  | (OfEndpoint & {
      readonly type: 'weight'
      readonly from: number
      readonly to: number
      readonly share: Shares
    })
  | (OfEndpoint & {
      readonly type: 'updated'
      readonly weight: number
      readonly problem: string | null
      readonly lease: string | null
    })
  | (OfEndpoint & { readonly type: 'gone'; readonly reason: GoneReason; readonly lease: string | null })
  | {
      readonly schema: 'disco.event/v1'
      readonly type: 'stale'
      readonly service?: string
      /** When the registry became unreachable, in ISO 8601. */
      readonly since: string
      readonly cause: string
    }
  | {
      readonly schema: 'disco.event/v1'
      readonly type: 'resync'
      readonly rev: string
      readonly service?: string
      /** Null if the missed changes follow as separate events. */
      readonly missedRevisions: number | null
      readonly changes: number
    }

/** @param filter the filter of the watch; `synced` counts the endpoints that match it */
export function eventDoc(
  watched: WatchEvent,
  service: string | undefined,
  filter: EndpointFilter = ALL_ENDPOINTS,
): EventDoc {
  const { registry } = watched
  const doc = anyEventDoc(watched, service, filter)
  const past = 'isPast' in watched.event ? { past: true as const } : {}
  return { ...doc, ...(registry === undefined ? {} : { registry }), ...past }
}

function anyEventDoc(
  { event, snapshot }: WatchEvent,
  service: string | undefined,
  filter: EndpointFilter,
): AnyEventDoc {
  const schema = 'disco.event/v1'
  const named = service === undefined ? {} : { service }
  switch (event.type) {
    case 'synced': {
      const all = endpointsOf(snapshot)
      const endpoints = chosenOf(filter, all)
      const weight = endpoints.reduce(
        (sum, endpoint) => sum + (endpoint.problem === null ? endpoint.weight : 0),
        0,
      )
      const rev = String(event.revision)
      const weightsUnset = weightsAreUnset(all)
      return { schema, type: 'synced', rev, ...named, endpoints: endpoints.length, weight, weightsUnset }
    }
    case 'stale':
      return {
        schema,
        type: 'stale',
        ...named,
        since: new Date(event.sinceMs).toISOString(),
        cause: event.cause.message,
      }
    case 'resync': {
      const { missedRevisions, changes } = event
      return { schema, type: 'resync', rev: String(event.revision), ...named, missedRevisions, changes }
    }
    default: {
      const { key, addr, version, layout, weight, lease } = event.endpoint
      const problem = event.endpoint.problem?.text ?? null
      // The type is the second member, where readers look for it.
      const of: OfEndpoint & { type: typeof event.type } = {
        schema,
        type: event.type,
        rev: String(event.revision),
        service: event.endpoint.service,
        key,
        addr,
        version,
        layout,
      }
      const share = { from: roundShare(event.share.from), to: roundShare(event.share.to) }
      if (event.type === 'added') return { ...of, type: 'added', weight, problem, share: share.to }
      if (event.type === 'weight') return { ...of, type: 'weight', from: event.from, to: event.to, share }
      if (event.type === 'updated') return { ...of, type: 'updated', weight, problem, lease }
      return { ...of, type: 'gone', reason: event.reason ?? 'unknown', lease }
    }
  }
}
