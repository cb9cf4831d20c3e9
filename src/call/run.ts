import { type EndpointId, endpointId } from '../domain/endpoint.js'
import { seeded } from '../domain/rng.js'
import { shareFractions } from '../domain/shares.js'
import type { Method } from '../grpc/descriptors.js'
import { isPeer } from '../grpc/endpoint.js'
import { callUnary } from '../grpc/unary-call.js'
import { summarizeLatencies } from '../stats/latency.js'
import { judge } from '../stats/verdict.js'
import type { CallReport, CallResult, EndpointReport } from './report.js'
import type { Readiness, Session } from './session.js'

export interface RunPlan {
  readonly method: Method
  readonly message: Buffer
  readonly calls: number
  readonly deadlineMs: number
  /** Told after each call, as it ends. */
  readonly onResult?: (result: CallResult) => void
}

/** gRPC's status of a call that succeeded. */
const OK = 0

interface Measured {
  readonly latenciesMs: number[]
  errors: number
}

/** Makes the calls one after the other; a signal ends the run after the call under way. */
export async function run(
  session: Session,
  readiness: Readiness,
  plan: RunPlan,
  signal: AbortSignal,
): Promise<CallReport> {
  const measured = new Map<EndpointId, Measured>()
  const failures: Record<string, number> = {}
  const all: number[] = []
  let last: CallResult | null = null
  let calls = 0
  let misrouted = 0
  const startedAtMs = performance.now()
  while (calls < plan.calls && !signal.aborted) {
    const result = await callOnce(session, plan, calls++)
    all.push(result.latencyMs)
    if (result.statusCode !== OK) failures[result.status] = (failures[result.status] ?? 0) + 1
    if (result.endpoint) measure(measured, endpointId(result.endpoint), result)
    if (result.isMisrouted) misrouted++
    plan.onResult?.(result)
    last = result
  }
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0)
  return {
    ...{ service: session.service, method: plan.method.name, revision: session.log.revision },
    ...{ policy: session.policy.name, calls, ok: calls - failed, interrupted: signal.aborted },
    elapsedMs: performance.now() - startedAtMs,
    ready: { endpoints: readiness.ready, of: readiness.wanted, elapsedMs: readiness.elapsedMs },
    endpoints: endpointReports(session, measured),
    unserved: unserved(session, readiness),
    latency: summarizeLatencies(all),
    failures,
    misrouted,
    last,
    // Seeded, so that the same picks get the same verdict.
    verdict: judge(session.log.ledger, session.policy.shares, seeded(1)),
  }
}

async function callOnce(
  session: Session,
  { method, message, deadlineMs }: RunPlan,
  callId: number,
): Promise<CallResult> {
  const startedAtMs = performance.now()
  const { peer, ...outcome } = await callUnary(session.client, method, message, { callId, deadlineMs })
  const latencyMs = performance.now() - startedAtMs
  const endpoint = session.log.takeEndpoint(callId)
  // A call that failed may have had no connection, so only one that was answered tells.
  const isMisrouted = outcome.statusCode === OK && !(endpoint && isPeer(endpoint, peer))
  return { ...outcome, latencyMs, endpoint: endpoint?.registration ?? null, isMisrouted }
}

function measure(measured: Map<EndpointId, Measured>, id: EndpointId, result: CallResult): void {
  const own = measured.get(id) ?? { latenciesMs: [], errors: 0 }
  measured.set(id, own)
  own.latenciesMs.push(result.latencyMs)
  if (result.statusCode !== OK) own.errors++
}

/** Most expected first; drained endpoints and those that left are part of the story. */
function endpointReports(session: Session, measured: ReadonlyMap<EndpointId, Measured>): EndpointReport[] {
  const tallies = session.log.ledger.tallies()
  return [...session.log.endpoints]
    .map(([id, endpoint]) => ({
      endpoint,
      picks: tallies.get(id)?.picks ?? 0,
      expected: tallies.get(id)?.expected ?? 0,
      errors: measured.get(id)?.errors ?? 0,
      latency: summarizeLatencies(measured.get(id)?.latenciesMs ?? []),
    }))
    .sort((a, b) => b.expected - a.expected || (a.endpoint.addr < b.endpoint.addr ? -1 : 1))
}

function unserved(session: Session, { unready }: Readiness): CallReport['unserved'] {
  const { registered } = session.log
  const shares = shareFractions(registered)
  return unready.map(({ id, addr, problem }) => {
    const index = registered.findIndex((endpoint) => endpointId(endpoint) === id)
    return { addr, problem, shareFraction: shares[index] ?? 0 }
  })
}
