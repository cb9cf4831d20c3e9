import type { Endpoint, EndpointId } from '../domain/endpoint.js'

/** A change of membership or weight. Calls from `atCall` on were made under it. */
export type RotationChange = {
  readonly endpoint: Endpoint
  readonly atCall: number
  /** Since the start of the run. */
  readonly atMs: number
} & (
  | { readonly type: 'joined'; readonly weight: number }
  | { readonly type: 'left'; readonly why: string }
  | { readonly type: 'weight'; readonly from: number; readonly to: number }
)

/** A connection that ended during the run. The endpoint stays a member. */
export interface Reconnect {
  readonly endpoint: Endpoint
  readonly atCall: number
  /** Since the start of the run. */
  readonly atMs: number
  /** Why the connection ended: `GOAWAY NO_ERROR`, `connection reset`; and why the next one was refused. */
  reason: string
  /** The time until it was READY again; null if it was not. */
  downMs: number | null
}

/** An endpoint that left the registry during the run. */
export interface Failover {
  readonly endpoint: Endpoint
  /** When the registry reported it, since the start of the run. */
  readonly atMs: number
  /** Time from `atMs` to the last pick: negative if the last pick was earlier; null if the endpoint was never picked. */
  readonly lastPickMs: number | null
  readonly picksAfter: number
}

interface RemovedEndpoint {
  readonly endpoint: Endpoint
  readonly atMs: number
  picksAfter: number
}

/** Limits memory when the registry flaps for hours. */
const MAX_CHANGES = 1_000

type ChangeKind =
  | { readonly type: 'joined'; readonly weight: number }
  | { readonly type: 'left'; readonly why: string }
  | { readonly type: 'weight'; readonly from: number; readonly to: number }

/** Records changes during a run and the call at which each took effect. Times are on performance.now()'s clock. */
export class Timeline {
  readonly changes: RotationChange[] = []
  /** Changes beyond the limit, counted only. */
  changesLeftOut = 0
  readonly reconnects: Reconnect[] = []
  reconnectsLeftOut = 0
  /** Reconnects in progress. */
  private readonly down = new Map<EndpointId, { readonly reconnect: Reconnect; lastReason: string }>()
  private readonly gone = new Map<EndpointId, RemovedEndpoint>()

  constructor(private readonly startedAtMs: number) {}

  changed(endpoint: Endpoint, atCall: number, kind: ChangeKind): void {
    if (this.changes.length >= MAX_CHANGES) this.changesLeftOut++
    else this.changes.push({ endpoint, atCall, atMs: performance.now() - this.startedAtMs, ...kind })
  }

  dropped(id: EndpointId, endpoint: Endpoint, atCall: number, reason: string): void {
    const atMs = performance.now() - this.startedAtMs
    const reconnect = { endpoint, atCall, atMs, reason, downMs: null }
    this.down.set(id, { reconnect, lastReason: reason })
    if (this.reconnects.length >= MAX_CHANGES) this.reconnectsLeftOut++
    else this.reconnects.push(reconnect)
  }

  /** Records that an attempt to connect again failed. */
  refused(id: EndpointId, why: string): void {
    const down = this.down.get(id)
    if (!down || down.lastReason === why) return
    down.lastReason = why
    down.reconnect.reason += `, then ${why}`
  }

  /** Records that the endpoint is READY again. */
  returned(id: EndpointId): void {
    const reconnect = this.down.get(id)?.reconnect
    if (!reconnect) return
    reconnect.downMs = performance.now() - this.startedAtMs - reconnect.atMs
    this.down.delete(id)
  }

  /** Records that the registry has removed the endpoint, or added it again. */
  registered(id: EndpointId, endpoint: Endpoint, isThere: boolean): void {
    if (isThere) this.gone.delete(id)
    else this.gone.set(id, { endpoint, atMs: performance.now(), picksAfter: 0 })
  }

  picked(id: EndpointId): void {
    const gone = this.gone.size === 0 ? undefined : this.gone.get(id)
    if (gone) gone.picksAfter++
  }

  /** @param lastPickAtMs when an endpoint was last picked, if it was */
  failovers(lastPickAtMs: (id: EndpointId) => number | null): Failover[] {
    return [...this.gone].map(([id, { endpoint, atMs, picksAfter }]) => {
      const lastAtMs = lastPickAtMs(id)
      return {
        endpoint,
        atMs: atMs - this.startedAtMs,
        picksAfter,
        lastPickMs: lastAtMs === null ? null : lastAtMs - atMs,
      }
    })
  }
}
