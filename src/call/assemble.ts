import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import { seeded } from '../domain/rng.js'
import { shareFractions } from '../domain/shares.js'
import type { Method } from '../grpc/methods/method.js'
import { judge } from '../stats/verdict.js'
import type { Readiness } from './connection-states.js'
import type { Load } from './load/load.js'
import type { Pace } from './load/pace.js'
import { CallStats, type Recorder } from './recorder.js'
import type { CallReport, CallTotals, EndpointReport, StateCounts, VersionReport } from './report.js'
import type { RunSeries } from './run-series.js'
import type { Session } from './session.js'

interface EndedRun {
  readonly session: Session
  readonly readiness: Readiness
  readonly method: Method
  readonly load: Load
  readonly recorder: Recorder
  readonly pace: Pace
  readonly series: RunSeries | null
  readonly elapsedMs: number
}

/** Makes the report from the session's log and the recorder. */
export function assemble(ran: EndedRun, interrupted: boolean): CallReport {
  const { session, readiness, recorder } = ran
  const { all, last, misrouted } = recorder
  const { log } = session
  const { timeline } = log
  const endpoints = endpointReports(session, readiness, recorder)
  return {
    service: session.service,
    target: session.target,
    revision: log.revision,
    load: ran.load,
    method: ran.method.name,
    streamsReplies: ran.method.streamsReplies,
    policy: session.policy.name,
    calls: all.calls,
    ok: all.calls - all.errors,
    interrupted,
    attempts: endpoints.reduce((sum, { attempts }) => sum + attempts, 0),
    elapsedMs: ran.elapsedMs,
    starts: ran.pace.starts(ran.load.concurrency),
    stateCounts: stateCounts(readiness),
    endpoints,
    versions: versionReports(endpoints, recorder),
    registries: (log.list?.registries ?? []).map((state) => {
      const members = endpoints.filter(({ endpoint: { origin } }) => origin?.registry === state.registry)
      const totals = totalsOf(members, recorder)
      // A pinned call goes to its endpoint in any registry.
      const isByPriority = !session.policy.reads.includes('pin')
      const spilledOver = isByPriority && state.priority > 0 && totals.attempts > 0
      return { state, spilledOver, ...totals }
    }),
    unserved: unserved(session, readiness),
    latency: all.latency.summary(),
    bands: all.latency.bands(),
    failures: all.failures,
    misrouted,
    changes: timeline.changes,
    changesLeftOut: timeline.changesLeftOut,
    reconnects: timeline.reconnects,
    reconnectsLeftOut: timeline.reconnectsLeftOut,
    failovers: timeline.failovers((id) => log.seen.get(id)?.lastPickAtMs ?? null),
    last,
    firstFailure: recorder.firstFailure,
    verdict: judge(
      // A retry advances a rotation, so exact shares are judged by all picks. Random shares are judged by first picks.
      session.policy.shares === 'exact' ? log.attempts : log.ledger,
      session.policy.shares,
      // Seeded, so that the verdict depends only on the picks.
      seeded(1),
    ),
    series: ran.series?.report(ran.elapsedMs, all.calls) ?? null,
  }
}

function stateCounts(readiness: Readiness): StateCounts {
  const { ready, wanted, registered, unusable, unready, elapsedMs } = readiness
  const refused = unready.filter(({ isRefused }) => isRefused).length
  return {
    ready,
    wanted,
    registered,
    drained: registered - unusable - wanted,
    refused,
    connecting: unready.length - refused,
    unusable,
    elapsedMs,
  }
}

/** Sorted by expected picks, descending. Includes endpoints that are drained, deregistered, or not dialable. */
function endpointReports(session: Session, readiness: Readiness, { byEndpoint }: Recorder): EndpointReport[] {
  const { log } = session
  const tallies = log.ledger.tallies()
  const problems = new Map(readiness.unready.map(({ id, problem }) => [id, problem]))
  const unseen = log.registered
    .map((endpoint) => [endpointId(endpoint), { endpoint, attempts: 0, reconnects: {} }] as const)
    .filter(([id]) => !log.seen.has(id))
  return [...log.seen, ...unseen]
    .map(([id, { endpoint, attempts, reconnects }]) => {
      const { picks = 0, expected = 0 } = tallies.get(id) ?? {}
      const note = attempts > 0 ? null : whyNotCalled(session, id, endpoint, problems)
      return { endpoint, reconnects, note, ...totals({ picks, expected, attempts }, byEndpoint.get(id)) }
    })
    .sort((a, b) => b.expected - a.expected || (a.endpoint.addr < b.endpoint.addr ? -1 : 1))
}

function whyNotCalled(
  { log: { connections } }: Session,
  id: EndpointId,
  { problem }: Endpoint,
  problems: ReadonlyMap<EndpointId, string>,
): string | null {
  if (!connections.isListed(id)) return 'gone from the registry'
  if (problem !== null) return problem.text
  if (!connections.wanted.has(id)) return 'drained'
  return connections.of(id).wasReady ? null : (problems.get(id) ?? null)
}

/** Sorted by expected picks, descending. Empty if all endpoints have one version: it would repeat the totals. */
function versionReports(endpoints: readonly EndpointReport[], recorder: Recorder): VersionReport[] {
  const versions = new Set(endpoints.map(({ endpoint }) => endpoint.version))
  if (versions.size < 2) return []
  const reports = [...versions].map((version) => {
    const members = endpoints.filter(({ endpoint }) => endpoint.version === version)
    const weight = members.reduce((sum, { endpoint }) => sum + endpoint.weight, 0)
    return { version, endpoints: members.length, weight, ...totalsOf(members, recorder) }
  })
  return reports.sort((a, b) => b.expected - a.expected)
}

/** The sum of the totals of several endpoints. */
function totalsOf(members: readonly EndpointReport[], { byEndpoint }: Recorder): CallTotals {
  const together = new CallStats()
  for (const { endpoint } of members) {
    const own = byEndpoint.get(endpointId(endpoint))
    if (own) together.add(own)
  }
  const sum = (of: (member: EndpointReport) => number) => members.reduce((total, one) => total + of(one), 0)
  const shares = {
    picks: sum(({ picks }) => picks),
    expected: sum(({ expected }) => expected),
    attempts: sum(({ attempts }) => attempts),
  }
  return totals(shares, together)
}

function totals(
  shares: Pick<CallTotals, 'picks' | 'expected' | 'attempts'>,
  { errors, failures, latency } = new CallStats(),
): CallTotals {
  return { ...shares, errors, failures, latency: latency.summary() }
}

function unserved({ log }: Session, { unready }: Readiness): CallReport['unserved'] {
  const { registered } = log
  const shares = shareFractions(registered)
  const shareById = new Map<EndpointId, number>(
    registered.map((endpoint, index) => [endpointId(endpoint), shares[index] ?? 0]),
  )
  return (
    unready
      .filter(({ id }) => !log.connections.of(id).wasReady)
      // With several registries, the endpoints of a registry that is not in use have no share.
      .filter(
        ({ id }) => log.connections.wanted.get(id)?.origin === undefined || (shareById.get(id) ?? 0) > 0,
      )
      .map(({ id, addr, problem }) => ({ addr, problem, shareFraction: shareById.get(id) ?? 0 }))
  )
}
