import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import type { Pairs } from '../grpc/invoker.js'
import type { RegistryState } from '../grpc/resolver/list-part.js'
import type { Measures } from '../stats/assertion.js'
import type { LatencyBand, LatencySummary } from '../stats/latency.js'
import type { SharePart } from '../stats/share-series.js'
import type { Verdict } from '../stats/verdict.js'
import type { Load } from './load/load.js'
import type { Starts } from './load/pace.js'
import type { Failover, Reconnect, RotationChange } from './timeline.js'

/** Totals of a group of calls. */
export interface CallTotals {
  readonly picks: number
  /** Expected picks: the share of the group, summed over all picks. */
  readonly expected: number
  /** Picks and retries. */
  readonly attempts: number
  readonly errors: number
  /** Failed calls by the name of their status. */
  readonly failures: Readonly<Record<string, number>>
  readonly latency: LatencySummary
}

/** One endpoint's part in a run. */
export interface EndpointReport extends CallTotals {
  readonly endpoint: Endpoint
  /** Connections that ended during the run, by reason. */
  readonly reconnects: Readonly<Record<string, number>>
  /** Why it received no calls, if known; null if it received any. */
  readonly note: string | null
}

/** Number of endpoints by state when the calls began. */
export interface StateCounts {
  readonly ready: number
  /** Endpoints with a share. */
  readonly wanted: number
  readonly registered: number
  readonly drained: number
  /** Endpoints to which an attempt to connect failed. */
  readonly refused: number
  /** Endpoints that were still connecting. */
  readonly connecting: number
  /** Registered endpoints with a problem, which are never dialled. */
  readonly unusable: number
  readonly elapsedMs: number
}

/** Totals of all endpoints of one version. */
export interface VersionReport extends CallTotals {
  readonly version: string
  readonly endpoints: number
  readonly weight: number
}

/** Totals of all endpoints of one of several registries, and the state of the registry at the end. */
export interface RegistryReport extends CallTotals {
  readonly state: RegistryState
  /** Whether it got calls because no endpoint of a better priority was READY. */
  readonly spilledOver: boolean
}

/** An endpoint with a share that never was READY. */
export interface UnreachedEndpoint {
  readonly addr: string
  readonly problem: string
  readonly shareFraction: number
}

/** How one call ended. */
export interface CallResult {
  /** The call's number in the run; the first is 1. */
  readonly number: number
  /** The last endpoint that was picked; null if none was. */
  readonly endpoint: Endpoint | null
  readonly status: string
  readonly statusCode: number
  readonly details: string
  readonly latencyMs: number
  /** Whether the connection's peer was not the picked endpoint, so that `endpoint` cannot be trusted. */
  readonly isMisrouted: boolean
  /** Number of reply messages. */
  readonly replies: number
  /** The reply as JSON, decoded when read: a list if the method streams replies; otherwise null if there is no reply. */
  readonly reply: unknown
  /** The error of the first reply that is not a message of the method; null if all replies are. */
  readonly replyProblem: DiscoError | null
  /** The details of a failure, as JSON; empty if the server sent none. */
  readonly errorDetails: readonly unknown[]
  readonly headers: Pairs
  readonly trailers: Pairs
  /** Whether all types in the replies and error details are described, or the server cannot describe the others. */
  readonly isComplete: boolean
  /** Fetches descriptions of types in the replies and error details, by reflection. */
  complete(): Promise<void>
}

/** The first failed call with one status. */
export interface FirstOfStatus {
  /** The call's number. */
  readonly n: number
  /** The address of the endpoint; null if none was picked. */
  readonly addr: string | null
  readonly details: string
  /** Since the start of the run. */
  readonly atMs: number
}

export interface SeriesInterval {
  /** Since the start of the run. */
  readonly fromMs: number
  readonly toMs: number
  /** Calls that ended in the interval. */
  readonly calls: number
  readonly errors: number
  readonly latency: LatencySummary
  /** Picks in the interval: the sum (`picks`), and for up to 100 endpoints, those of each (`byId`). */
  readonly shares: { readonly picks: number; readonly byId: ReadonlyMap<string, SharePart> }
}

/** A run over time. */
export interface SeriesReport {
  readonly intervals: readonly SeriesInterval[]
  /** The first failed call with each status, by the name of the status. */
  readonly firstFailures: ReadonlyMap<string, FirstOfStatus>
}

export interface CallReport {
  /** The name of the service in messages. */
  readonly service: string
  /** The target that the channel dialled. */
  readonly target: string
  readonly method: string
  /** Whether the method streams its replies. They were then reported as they arrived. */
  readonly streamsReplies: boolean
  /** The revision of the list of endpoints; 0 for a target without a registry. */
  readonly revision: Revision
  readonly policy: string
  readonly load: Load
  readonly calls: number
  readonly ok: number
  /** Picks and retries, including those without an answer. */
  readonly attempts: number
  readonly interrupted: boolean
  readonly elapsedMs: number
  /** Calls due, started and not started, and what was saturated, if anything. */
  readonly starts: Starts
  readonly stateCounts: StateCounts
  readonly endpoints: readonly EndpointReport[]
  /** One for each version; empty if there is only one. */
  readonly versions: readonly VersionReport[]
  /** One for each registry; empty if there is only one. */
  readonly registries: readonly RegistryReport[]
  readonly unserved: readonly UnreachedEndpoint[]
  readonly latency: LatencySummary
  readonly bands: readonly LatencyBand[]
  /** Failed calls by the name of their status. */
  readonly failures: Readonly<Record<string, number>>
  /** Answered calls whose peer was not the picked endpoint. More than 0 is a bug. */
  readonly misrouted: number
  /** Endpoints that joined, left or changed their weight during the run; at most the first 1,000. */
  readonly changes: readonly RotationChange[]
  readonly changesLeftOut: number
  /** Connections that ended during the run; at most the first 1,000. None of them changes the membership. */
  readonly reconnects: readonly Reconnect[]
  readonly reconnectsLeftOut: number
  /** Endpoints that left the registry during the run, with their last pick. */
  readonly failovers: readonly Failover[]
  /** The last call. */
  readonly last: CallResult | null
  /** The first call to end without OK. */
  readonly firstFailure: CallResult | null
  readonly verdict: Verdict
  /** The run over time; null if it was not recorded. */
  readonly series: SeriesReport | null
}

/** The measures that `--assert` checks. */
export function measuresOf({ calls, ok, endpoints, latency, elapsedMs }: CallReport): Measures {
  const { p50, p95, p99, max } = latency
  const picks = endpoints.reduce((sum, own) => sum + own.picks, 0)
  return {
    p50,
    p95,
    p99,
    max,
    errors: calls === 0 ? null : (calls - ok) / calls,
    skew:
      picks === 0 ? null : Math.max(...endpoints.map((own) => Math.abs(own.picks - own.expected) / picks)),
    rate: elapsedMs > 0 ? (calls * 1000) / elapsedMs : null,
  }
}
