import type { Saturation, Starts } from '../../call/load/pace.js'
import type { CallResult } from '../../call/report.js'
import type { AssertionResult } from '../../stats/assertion.js'
import type { LatencyBand, LatencySummary } from '../../stats/latency.js'
import type { Verdict } from '../../stats/verdict.js'
import type { NoteDoc } from '../notes/notes.js'
import type { ResolvedRegistryDoc } from '../registries/document.js'

/** Totals of the calls to an endpoint, a version or a registry. */
export interface TalliedDoc {
  readonly picks: number
  /** Expected picks: the share, summed over all picks. */
  readonly expected: number
  /** Picks and retries. */
  readonly attempts: number
  /** Number of failed calls. */
  readonly errors: number
  /** Failed calls by the name of their gRPC status. */
  readonly failures: Readonly<Record<string, number>>
  readonly latencyMs: LatencySummary
}

export interface CallEndpointDoc extends TalliedDoc {
  /** Only with several registries. */
  readonly registry?: string
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly weight: number
  /** Connections that ended during the run. They do not change the membership. */
  readonly reconnects: number
  /** The reconnects by reason. */
  readonly reconnectReasons: Readonly<Record<string, number>>
  /** Why the endpoint received no calls; null if it received calls, or the reason is unknown. */
  readonly note: string | null
}

export interface CallVersionDoc extends TalliedDoc {
  readonly version: string
  readonly endpoints: number
  readonly weight: number
}

/** The endpoints of one of several registries together, and the registry's state at the end of the run. */
export interface CallRegistryDoc extends TalliedDoc, ResolvedRegistryDoc {
  /** Whether the registry got calls because no endpoint of a better priority was READY. */
  readonly spilledOver: boolean
}

/** An endpoint joined, left, or got another weight. Call number `atCall` is the first one after the change. */
export interface CallChangeDoc {
  readonly type: 'joined' | 'left' | 'weight'
  readonly addr: string
  readonly atCall: number
  readonly atMs: number
  /** The weight before and after. `from` is null unless `type` is `weight`; `to` is null if the endpoint left. */
  readonly from: number | null
  readonly to: number | null
  /** Why the endpoint left; null for other changes. */
  readonly reason: string | null
}

/** A connection that ended. Call number `atCall` is the first one after that. */
export interface ReconnectDoc {
  readonly addr: string
  readonly atCall: number
  readonly atMs: number
  readonly reason: string
  /** The time until the endpoint was READY again; null if it was not READY again. */
  readonly downMs: number | null
}

/** Number of endpoints by state when the calls began. */
export interface ReadyDoc {
  /** READY endpoints. */
  readonly endpoints: number
  /** Endpoints with a share. */
  readonly of: number
  /** The time that connecting took. */
  readonly elapsedMs: number
  readonly registered: number
  readonly drained: number
  readonly refused: number
  readonly connecting: number
  readonly unusable: number
}

/** The registry reported the endpoint as removed, `atMs` after the start of the run. */
export interface FailoverDoc {
  readonly addr: string
  readonly atMs: number
  /** The time from the removal to the last pick: negative if no pick followed; null if it was never picked. */
  readonly lastPickMs: number | null
  readonly picksAfter: number
}

/** Calls due, started and not started: due = started + notStarted, started = calls + unfinished. */
export interface StartsDoc extends Omit<Starts, 'saturation'> {
  /** What the rate saturated: the client, the backends, or the reader of the output; null if the rate was kept. */
  readonly saturated: Saturation['by'] | null
  /** Calls that ended per second while due calls had to wait. Null without saturation. */
  readonly perSecond: number | null
  /** CPU time of the client while due calls had to wait, in cores: 0.5 is half of one core. Null without saturation. */
  readonly clientCpu: number | null
  /** The fraction of that time (0 to 1) in which the client's event loop was busy. Null without saturation. */
  readonly clientLoop: number | null
}

export interface CallDoc {
  readonly schema: 'disco.call/v1'
  readonly service: string
  /** The target that the channel dialled. */
  readonly target: string
  /** The selector in the target; null if the target selects all endpoints of the service. */
  readonly selector: string | null
  readonly method: string
  /** The revision of the list; null for a target without a registry. */
  readonly rev: string | null
  readonly policy: string
  readonly calls: number
  readonly ok: number
  /** Picks and retries. */
  readonly attempts: number
  readonly interrupted: boolean
  /** The reply of a single call; a list of all replies if the method streams them. Null for several calls. */
  readonly reply: unknown
  readonly elapsedMs: number
  /** Calls per second. */
  readonly perSecond: number
  readonly starts: StartsDoc
  readonly ready: ReadyDoc
  readonly unserved: readonly { readonly addr: string; readonly share: number; readonly problem: string }[]
  readonly endpoints: readonly CallEndpointDoc[]
  /** Empty unless there are several versions. */
  readonly versions: readonly CallVersionDoc[]
  /** Only with several registries. `rev` is then the revision of the first registry that has a list. */
  readonly registries?: readonly CallRegistryDoc[]
  readonly latencyMs: LatencySummary
  readonly histogram: readonly LatencyBand[]
  readonly failures: Readonly<Record<string, number>>
  /** Null if no call failed. */
  readonly firstFailure: CallFailureDoc | null
  /** Answered calls from an address other than the picked one. Any number but 0 is a bug. */
  readonly misrouted: number
  /** The first 1,000 changes; `changesLeftOut` counts the others. */
  readonly changes: readonly CallChangeDoc[]
  readonly changesLeftOut: number
  /** The first 1,000 reconnects; `reconnectsLeftOut` counts the others. */
  readonly reconnects: readonly ReconnectDoc[]
  readonly reconnectsLeftOut: number
  readonly failovers: readonly FailoverDoc[]
  readonly verdict: Verdict
  /** The assertions of --assert. `actual` is null if the run is too short to measure it: the assertion then fails. */
  readonly assertions: readonly AssertionResult[]
  /**
   * Warnings, such as that a program resolves this target to other endpoints, or that clients cannot dial an address.
   */
  readonly notes: readonly NoteDoc[]
}

export interface CallFailureDoc {
  /** The number of the call within the run, from 1 on. */
  readonly n: number
  /** The endpoint that was called; null if none was picked. */
  readonly addr: string | null
  readonly status: string
  readonly details: string
  /** The messages in the trailer grpc-status-details-bin, each with its `@type`; empty if the server sent none. */
  readonly errorDetails: readonly unknown[]
}

/** One call of a run, with its reply. */
export interface CallLineDoc extends CallFailureDoc {
  readonly schema: 'disco.call-line/v1'
  readonly latencyMs: number
  readonly reply: unknown
  /** Null without -v. Values of names that end in -bin are in base64. */
  readonly headers: CallResult['headers'] | null
  readonly trailers: CallResult['trailers'] | null
}

/** The same load under several policies, one after the other. */
export interface ComparisonDoc {
  readonly schema: 'disco.comparison/v1'
  readonly service: string
  readonly method: string
  readonly runs: readonly CallDoc[]
}
