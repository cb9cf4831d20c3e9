import type { Saturation, Starts } from '../../call/load/pace.js'
import type { CallResult } from '../../call/report.js'
import type { Asserted } from '../../stats/assertion.js'
import type { LatencyBand, LatencySummary } from '../../stats/latency.js'
import type { Verdict } from '../../stats/verdict.js'
import type { NoteDoc } from '../notes/notes.js'
import type { ResolvedRegistryDoc } from '../registries/document.js'

export interface TalliedDoc {
  readonly picks: number
  readonly expected: number
  readonly attempts: number
  readonly errors: number
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
  /** The same by reason. */
  readonly reconnectReasons: Readonly<Record<string, number>>
  /** Why it received no calls; null if the reason is unknown. */
  readonly note: string | null
}

export interface CallVersionDoc extends TalliedDoc {
  readonly version: string
  readonly endpoints: number
  readonly weight: number
}

/** The endpoints of one of several registries together, and the registry's state at the end of the run. */
export interface CallRegistryDoc extends TalliedDoc, ResolvedRegistryDoc {
  /** Whether it got calls because no endpoint of a better priority was READY. */
  readonly spilledOver: boolean
}

/** An endpoint joined, left, or got another weight. Calls from `atCall` on were made under the change. */
export interface CallChangeDoc {
  readonly type: 'joined' | 'left' | 'weight'
  readonly addr: string
  readonly atCall: number
  readonly atMs: number
  readonly from: number | null
  readonly to: number | null
  /** Why the endpoint left. */
  readonly reason: string | null
}

/** A connection that ended. Calls from `atCall` on were made after that. */
export interface ReconnectDoc {
  readonly addr: string
  readonly atCall: number
  readonly atMs: number
  readonly reason: string
  /** The time until it was READY again; null if it was not. */
  readonly downMs: number | null
}

/** State of the listed endpoints when the calls began. `of` counts those with a share. */
export interface ReadyDoc {
  readonly endpoints: number
  readonly of: number
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
  /** The time from then to the last pick: negative without a later pick, null if it was never picked. */
  readonly lastPickMs: number | null
  readonly picksAfter: number
}

/** Calls due, started and not started: due = started + notStarted, started = calls + unfinished. */
export interface StartsDoc extends Omit<Starts, 'saturation'> {
  /** The part that the rate saturated: client, backends, or the reader of the output; null for none. */
  readonly saturated: Saturation['by'] | null
  /** Calls that ended per second while due calls had to wait. Null without saturation. */
  readonly perSecond: number | null
  /** CPU time of the client while due calls had to wait, as a part of a core. */
  readonly clientCpu: number | null
  /** The part of the time in which the client's event loop was busy while due calls had to wait. */
  readonly clientLoop: number | null
}

export interface CallDoc {
  readonly schema: 'disco.call/v1'
  readonly service: string
  /** The target that the channel dialled. */
  readonly target: string
  /** The conditions of the target; null if it selects all of the service. */
  readonly selector: string | null
  readonly method: string
  /** Null for a target without a registry. */
  readonly rev: string | null
  readonly policy: string
  readonly calls: number
  readonly ok: number
  /** Picks and retries. */
  readonly attempts: number
  readonly interrupted: boolean
  /** The reply of a single call; a list of all replies if the method streams them. */
  readonly reply: unknown
  readonly elapsedMs: number
  readonly perSecond: number
  readonly starts: StartsDoc
  readonly ready: ReadyDoc
  readonly unserved: readonly { readonly addr: string; readonly share: number; readonly problem: string }[]
  readonly endpoints: readonly CallEndpointDoc[]
  /** Only with several versions. */
  readonly versions: readonly CallVersionDoc[]
  /** Only with several registries. `rev` is then the revision of the first registry that has a list. */
  readonly registries?: readonly CallRegistryDoc[]
  readonly latencyMs: LatencySummary
  readonly histogram: readonly LatencyBand[]
  readonly failures: Readonly<Record<string, number>>
  /** The first failed call with its status; null without a failure. */
  readonly firstFailure: CallFailureDoc | null
  /** Answered calls carried by a connection to an address other than the picked one; 0, or a bug. */
  readonly misrouted: number
  /** The first 1,000. */
  readonly changes: readonly CallChangeDoc[]
  readonly changesLeftOut: number
  /** The first 1,000. */
  readonly reconnects: readonly ReconnectDoc[]
  readonly reconnectsLeftOut: number
  readonly failovers: readonly FailoverDoc[]
  readonly verdict: Verdict
  /** The assertions of --assert. `actual` is null if the run is too short to measure it: the assertion then fails. */
  readonly assertions: readonly Asserted[]
  /** Warnings, such as: a program would resolve this target to other endpoints; clients cannot dial an address. */
  readonly notes: readonly NoteDoc[]
}

export interface CallFailureDoc {
  readonly n: number
  readonly addr: string | null
  readonly status: string
  readonly details: string
  /** From the trailer grpc-status-details-bin, each with its `@type`; empty if the server sent none. */
  readonly errorDetails: readonly unknown[]
}

/** One call of a run, with its reply. */
export interface CallLineDoc extends CallFailureDoc {
  readonly schema: 'disco.call-line/v1'
  readonly latencyMs: number
  readonly reply: unknown
  /** With -v, else null; base64 if a name ends in -bin. */
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
