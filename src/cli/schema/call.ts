import type { CallReport, CallResult } from '../../call/report.js'
import type { LatencySummary } from '../../stats/latency.js'
import type { Verdict } from '../../stats/verdict.js'
import { roundShare } from './endpoints.js'

export interface CallEndpointDoc {
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly weight: number
  readonly picks: number
  readonly expected: number
  readonly errors: number
  readonly latencyMs: LatencySummary
}

export interface CallDoc {
  readonly schema: 'disco.call/v1'
  readonly service: string
  readonly method: string
  readonly rev: string
  readonly policy: string
  readonly calls: number
  readonly ok: number
  readonly interrupted: boolean
  /** The reply of a single call. */
  readonly reply: unknown
  readonly elapsedMs: number
  readonly ready: { readonly endpoints: number; readonly of: number; readonly elapsedMs: number }
  readonly unserved: readonly { readonly addr: string; readonly share: number; readonly problem: string }[]
  readonly endpoints: readonly CallEndpointDoc[]
  readonly latencyMs: LatencySummary
  readonly failures: Readonly<Record<string, number>>
  /** Answered calls that a connection to another address carried than the picked one's; 0, or a bug. */
  readonly misrouted: number
  readonly verdict: Verdict
}

/** One call of a run, with its reply. */
export interface CallLineDoc {
  readonly schema: 'disco.call-line/v1'
  readonly addr: string | null
  readonly status: string
  readonly details: string
  readonly latencyMs: number
  readonly reply: unknown
}

export function callDoc(report: CallReport): CallDoc {
  const { service, method, policy, calls, ok, interrupted, failures, misrouted, verdict } = report
  return {
    schema: 'disco.call/v1',
    ...{ service, method, rev: String(report.revision), policy, calls, ok, interrupted },
    reply: calls === 1 ? (report.last?.reply ?? null) : null,
    elapsedMs: roundMs(report.elapsedMs),
    ready: { ...report.ready, elapsedMs: roundMs(report.ready.elapsedMs) },
    unserved: report.unserved.map(({ addr, problem, shareFraction }) => ({
      ...{ addr, share: roundShare(shareFraction), problem },
    })),
    endpoints: report.endpoints.map(({ endpoint, picks, expected, errors, latency }) => ({
      ...{ key: endpoint.key, addr: endpoint.addr, version: endpoint.version, weight: endpoint.weight },
      ...{ picks, expected: roundMs(expected), errors, latencyMs: latency },
    })),
    latencyMs: report.latency,
    ...{ failures, misrouted, verdict },
  }
}

export function callLineDoc({ endpoint, status, details, latencyMs, reply }: CallResult): CallLineDoc {
  const addr = endpoint?.addr ?? null
  return { schema: 'disco.call-line/v1', addr, status, details, latencyMs: roundMs(latencyMs), reply }
}

function roundMs(number: number): number {
  return Math.round(number * 1000) / 1000
}
