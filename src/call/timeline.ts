import type { Update } from '../domain/discovery.js'
import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'

/** A change of who is picked, or how often. Calls from `atCall` on were made under it. */
export type RotationChange = {
  readonly endpoint: Endpoint
  readonly atCall: number
  /** Since the run's beginning. */
  readonly atMs: number
} & (
  | { readonly type: 'joined'; readonly weight: number }
  | { readonly type: 'left'; readonly why: string }
  | { readonly type: 'weight'; readonly from: number; readonly to: number }
)

/** An endpoint that left the registry during the run. */
export interface Failover {
  readonly endpoint: Endpoint
  /** When the registry told it, since the run's beginning. */
  readonly atMs: number
  /** From then to the last pick: below 0 where none came after; null where it never was picked. */
  readonly lastPickMs: number | null
  readonly picksAfter: number
}

interface Gone {
  readonly endpoint: Endpoint
  readonly atMs: number
  picksAfter: number
}

/** A registry that flaps for hours must not fill the memory; the beginning tells what goes on. */
const MOST_CHANGES = 1_000

/** Writes down what changed during a run, and at which call. Times are on performance.now()'s clock. */
export class Timeline {
  readonly changes: RotationChange[] = []
  /** Changes that came after so many that they were only counted. */
  changesLeftOut = 0
  private weights: ReadonlyMap<EndpointId, { endpoint: Endpoint; weight: number }> | null = null
  private readonly gone = new Map<EndpointId, Gone>()

  constructor(private readonly startedAtMs: number) {}

  /** @param why says why an endpoint is picked no more */
  rotated(
    rotation: ReadonlyMap<RegisteredEndpoint, number>,
    atCall: number,
    why: (id: EndpointId) => string,
  ): void {
    const before = this.weights
    const now = new Map(
      [...rotation].map(([{ id, registration }, weight]) => [id, { endpoint: registration, weight }]),
    )
    this.weights = now
    if (!before) return
    const at = { atCall, atMs: performance.now() - this.startedAtMs }
    for (const [id, { endpoint, weight }] of now) {
      const from = before.get(id)?.weight
      if (from === undefined) this.note({ type: 'joined', endpoint, weight, ...at })
      else if (from !== weight) this.note({ type: 'weight', endpoint, from, to: weight, ...at })
    }
    for (const [id, { endpoint }] of before) {
      if (!now.has(id)) this.note({ type: 'left', endpoint, why: why(id), ...at })
    }
  }

  /** What the registry told, as it came, with who was known until then. */
  heard(update: Update, known: ReadonlyMap<EndpointId, { readonly endpoint: Endpoint }>): void {
    if (update.type === 'stale' || update.type === 'reset') return
    const nowByKey = new Map(
      update.changes.map((change) => [change.key, change.type === 'put' ? change.endpoints : []]),
    )
    for (const [id, { endpoint }] of known) {
      const now = nowByKey.get(endpoint.key)
      if (!now) continue
      if (now.some(({ addr }) => addr === endpoint.addr)) this.gone.delete(id)
      else this.gone.set(id, { endpoint, atMs: performance.now(), picksAfter: 0 })
    }
  }

  picked(id: EndpointId): void {
    const gone = this.gone.size === 0 ? undefined : this.gone.get(id)
    if (gone) gone.picksAfter++
  }

  /** @param lastPickAtMs when an endpoint was picked last, if it was */
  failovers(lastPickAtMs: (id: EndpointId) => number | null): Failover[] {
    return [...this.gone.values()].map(({ endpoint, atMs, picksAfter }) => {
      const lastAtMs = lastPickAtMs(endpointId(endpoint))
      return {
        ...{ endpoint, atMs: atMs - this.startedAtMs, picksAfter },
        lastPickMs: lastAtMs === null ? null : lastAtMs - atMs,
      }
    })
  }

  private note(change: RotationChange): void {
    if (this.changes.length < MOST_CHANGES) this.changes.push(change)
    else this.changesLeftOut++
  }
}
