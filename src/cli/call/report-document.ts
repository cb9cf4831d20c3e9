import type { CallReport, CallResult, CallTotals } from '../../call/report.js'
import { ofRegistry, roundShare } from '../../domain/documents.js'
import { formatSelector } from '../../domain/selector.js'
import { parseTarget, SCHEME, selectorOf, splitTarget } from '../../grpc/resolver/target.js'
import type { AssertionResult } from '../../stats/assertion.js'
import type { NoteDoc } from '../notes/notes.js'
import { resolvedRegistryDoc } from '../registries/document.js'
import type {
  CallChangeDoc,
  CallDoc,
  CallFailureDoc,
  CallLineDoc,
  ComparisonDoc,
  ReadyDoc,
  StartsDoc,
  TalliedDoc,
} from './document.js'

/** The report of a run as a document. */
export function callDoc(
  report: CallReport,
  assertions: readonly AssertionResult[] = [],
  notes: readonly NoteDoc[] = [],
): CallDoc {
  const { service, method, policy, calls, ok, attempts, interrupted, elapsedMs } = report
  return {
    schema: 'disco.call/v1',
    service,
    target: report.target,
    selector: selectorIn(report.target),
    method,
    rev: report.revision === 0 ? null : String(report.revision),
    policy,
    calls,
    ok,
    attempts,
    interrupted,
    reply: calls === 1 ? (report.last?.reply ?? null) : null,
    elapsedMs: rounded(elapsedMs),
    perSecond: rounded((calls * 1000) / Math.max(elapsedMs, 1e-3)),
    starts: startsDoc(report.starts),
    ready: readyDoc(report.stateCounts),
    unserved: report.unserved.map(({ addr, problem, shareFraction }) => ({
      addr,
      share: roundShare(shareFraction),
      problem,
    })),
    endpoints: report.endpoints.map((own) => {
      const { key, addr, version, weight } = own.endpoint
      const { reconnects: reconnectReasons, note } = own
      const reconnects = Object.values(reconnectReasons).reduce((sum, count) => sum + count, 0)
      return {
        ...ofRegistry(own.endpoint),
        key,
        addr,
        version,
        weight,
        ...talliedDoc(own),
        reconnects,
        reconnectReasons,
        note,
      }
    }),
    versions: report.versions.map((own) => {
      const { version, endpoints, weight } = own
      return { version, endpoints, weight, ...talliedDoc(own) }
    }),
    ...(report.registries.length === 0
      ? {}
      : {
          registries: report.registries.map((own) => ({
            ...resolvedRegistryDoc(own.state),
            ...talliedDoc(own),
            spilledOver: own.spilledOver,
          })),
        }),
    latencyMs: report.latency,
    histogram: report.bands,
    failures: report.failures,
    firstFailure: failureDoc(report.firstFailure),
    misrouted: report.misrouted,
    changes: report.changes.map(changeDoc),
    changesLeftOut: report.changesLeftOut,
    reconnects: report.reconnects.map(({ endpoint, atCall, atMs, reason, downMs }) => ({
      addr: endpoint.addr,
      atCall,
      atMs: rounded(atMs),
      reason,
      downMs: downMs === null ? null : rounded(downMs),
    })),
    reconnectsLeftOut: report.reconnectsLeftOut,
    failovers: report.failovers.map(({ endpoint, atMs, lastPickMs, picksAfter }) => ({
      addr: endpoint.addr,
      atMs: rounded(atMs),
      picksAfter,
      lastPickMs: lastPickMs === null ? null : rounded(lastPickMs),
    })),
    verdict: report.verdict,
    assertions,
    notes,
  }
}

function selectorIn(target: string): string | null {
  const uri = splitTarget(target)
  const selector = uri.scheme === SCHEME ? selectorOf(parseTarget(uri)) : []
  return selector.length === 0 ? null : formatSelector(selector)
}

function readyDoc({ ready, wanted, elapsedMs, ...others }: CallReport['stateCounts']): ReadyDoc {
  const { registered, drained, refused, connecting, unusable } = others
  return {
    endpoints: ready,
    of: wanted,
    elapsedMs: rounded(elapsedMs),
    registered,
    drained,
    refused,
    connecting,
    unusable,
  }
}

function failureDoc(failure: CallResult | null): CallFailureDoc | null {
  if (!failure) return null
  const { number, endpoint, status, details, errorDetails } = failure
  return { n: number, addr: endpoint?.addr ?? null, status, details, errorDetails }
}

function talliedDoc({ picks, expected, attempts, errors, failures, latency }: CallTotals): TalliedDoc {
  return { picks, expected: rounded(expected), attempts, errors, failures, latencyMs: latency }
}

function changeDoc(change: CallReport['changes'][number]): CallChangeDoc {
  const { type, endpoint, atCall, atMs } = change
  const at = { type, addr: endpoint.addr, atCall, atMs: rounded(atMs) }
  if (change.type === 'joined') return { ...at, from: null, to: change.weight, reason: null }
  if (change.type === 'left') return { ...at, from: null, to: null, reason: change.why }
  return { ...at, from: change.from, to: change.to, reason: null }
}

export function startsDoc({ saturation, maxLateMs, readerMs, ...counts }: CallReport['starts']): StartsDoc {
  return {
    ...counts,
    maxLateMs: rounded(maxLateMs),
    readerMs: rounded(readerMs),
    saturated: saturation?.by ?? null,
    perSecond: saturation && rounded(saturation.perSecond),
    clientCpu: saturation && rounded(saturation.cpuFraction),
    clientLoop: saturation && rounded(saturation.loopFraction),
  }
}

/** One call of a run as a document. */
export function callLineDoc(result: CallResult, isVerbose: boolean): CallLineDoc {
  const { number, endpoint, status, details, errorDetails, latencyMs, reply, headers, trailers } = result
  return {
    schema: 'disco.call-line/v1',
    n: number,
    addr: endpoint?.addr ?? null,
    status,
    details,
    errorDetails,
    latencyMs: rounded(latencyMs),
    reply,
    ...(isVerbose ? { headers, trailers } : { headers: null, trailers: null }),
  }
}

export function comparisonDoc(service: string, method: string, runs: readonly CallDoc[]): ComparisonDoc {
  return { schema: 'disco.comparison/v1', service, method, runs }
}

/** A number rounded to three decimals. */
function rounded(number: number): number {
  return Math.round(number * 1000) / 1000
}
