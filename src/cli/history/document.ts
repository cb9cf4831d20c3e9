import { changedFields, type FieldChange, fieldsOf } from '../../domain/endpoint-fields.js'
import type { TimeBounds } from '../../domain/revision-times.js'
import type { PastEvent } from '../../registry/history.js'

/** Bounds of the time of a change, in ISO 8601. A bound is null if it is unknown. */
interface TimeDoc {
  readonly after: string | null
  readonly before: string | null
}

interface OfEndpoint {
  readonly schema: 'disco.change/v1'
  readonly rev: string
  readonly time: TimeDoc
  readonly service: string
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly layout: string
  /** The lease of the registration; for `gone`, the lease that it had. Null if it has or had no lease. */
  readonly lease: string | null
}

/** One change in `history`: the types are those of `watch`. */
export type ChangeDoc =
  | (OfEndpoint & { readonly type: 'added'; readonly weight: number; readonly problem: string | null })
  | (OfEndpoint & { readonly type: 'weight'; readonly from: number; readonly to: number })
  | (OfEndpoint & {
      readonly type: 'updated'
      readonly weight: number
      readonly problem: string | null
      /** Empty if the same value was written again. */
      readonly fields: readonly FieldChange[]
    })
  /** The reason is unknown: etcd's history does not show whether the key was deleted or its lease ended. */
  | (OfEndpoint & { readonly type: 'gone'; readonly weight: number; readonly reason: 'unknown' })

/** The members of the document of `history` before its changes. */
export interface HistoryHead {
  readonly schema: 'disco.history/v1'
  readonly service: string | null
  /** The document has the changes after this revision. */
  readonly since: string
  /** The newest revision when the command began. */
  readonly rev: string
}

/** The members of the document of `history` after its changes. */
export interface HistoryTail {
  /** Changes up to this revision are missing, because etcd has compacted them. Null if no changes are missing. */
  readonly compacted: string | null
  readonly interrupted: boolean
}

/** The whole document. It is written piece by piece, while the history is read. */
export interface HistoryDoc extends HistoryHead, HistoryTail {
  readonly changes: readonly ChangeDoc[]
}

export function changeDoc(event: PastEvent, bounds: TimeBounds): ChangeDoc {
  const { service, key, addr, version, layout, lease, weight } = event.endpoint
  const problem = event.endpoint.problem?.text ?? null
  // The type is the second member, where readers look for it.
  const of: OfEndpoint & { type: typeof event.type } = {
    schema: 'disco.change/v1',
    type: event.type,
    rev: String(event.revision),
    time: { after: iso(bounds.afterMs), before: iso(bounds.beforeMs) },
    service,
    key,
    addr,
    version,
    layout,
    lease,
  }
  switch (event.type) {
    case 'added':
      return { ...of, type: 'added', weight, problem }
    case 'weight':
      return { ...of, type: 'weight', from: event.from, to: event.to }
    case 'updated': {
      const leases = { field: 'lease', from: event.before.lease, to: lease }
      const others = changedFields(fieldsOf(event.before), fieldsOf(event.endpoint))
      const fields = event.before.lease === lease ? others : [...others, leases]
      return { ...of, type: 'updated', weight, problem, fields }
    }
    case 'gone':
      return { ...of, type: 'gone', weight, reason: 'unknown' }
  }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
