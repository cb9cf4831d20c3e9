import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { LatencySummary } from '../stats/latency.js'
import type { Verdict } from '../stats/verdict.js'

/** One endpoint's part in a run. */
export interface EndpointReport {
  readonly endpoint: Endpoint
  readonly picks: number
  /** Calls that the weights asked for, summed over all picks. */
  readonly expected: number
  readonly errors: number
  readonly latency: LatencySummary
}

/** An endpoint that has a share and never was READY. */
export interface Unserved {
  readonly addr: string
  readonly problem: string
  readonly shareFraction: number
}

/** How one call ended. */
export interface CallResult {
  readonly endpoint: Endpoint | null
  readonly status: string
  readonly statusCode: number
  readonly details: string
  readonly latencyMs: number
  /** The connection's peer was not the endpoint that was picked: the attribution cannot be trusted. */
  readonly isMisrouted: boolean
  /** JSON; null unless the status is OK. */
  readonly reply: unknown
}

export interface CallReport {
  readonly service: string
  readonly method: string
  readonly revision: Revision
  readonly policy: string
  readonly calls: number
  readonly ok: number
  readonly interrupted: boolean
  readonly elapsedMs: number
  readonly ready: { readonly endpoints: number; readonly of: number; readonly elapsedMs: number }
  readonly endpoints: readonly EndpointReport[]
  readonly unserved: readonly Unserved[]
  readonly latency: LatencySummary
  /** Calls by the name of the status that they failed with. */
  readonly failures: Readonly<Record<string, number>>
  /** Answered calls whose connection's peer was not the endpoint that was picked; 0, or a bug. */
  readonly misrouted: number
  /** The last call's. */
  readonly last: CallResult | null
  readonly verdict: Verdict
}
