import { assemble } from '../../src/call/assemble.js'
import { Pace } from '../../src/call/load/pace.js'
import { Recorder } from '../../src/call/recorder.js'
import type { CallReport, CallResult } from '../../src/call/report.js'
import { RunLog } from '../../src/call/run-log.js'
import { RunSeries } from '../../src/call/run-series.js'
import type { Session } from '../../src/call/session.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { seeded } from '../../src/domain/rng.js'
import type { Method } from '../../src/grpc/methods/method.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import { toGrpcEndpoints } from '../../src/grpc/resolver/selection.js'

/** The calls to record. */
export interface Recording {
  readonly endpoints: readonly Endpoint[]
  readonly calls: number
  readonly perSecond: number
  /** Seed of latencies, failures and picks. */
  readonly seed?: number
  /** Fraction of failing calls, from 0 to 1. */
  readonly failing?: number
  /** The details of failures. */
  readonly details?: string
  /** Whether the picks are judged, which takes most of the time if there are many endpoints. */
  readonly isJudged?: boolean
  /** Runs before each call, with its number from 1. */
  readonly before?: (call: number, log: RunLog, endpoints: readonly RegisteredEndpoint[]) => void
}

/**
 * The report of simulated calls, which are recorded like real ones: with a clock of its own, and without network or
 * waiting.
 */
export function recordedRun({
  endpoints,
  calls,
  perSecond,
  seed = 1,
  failing = 0.01,
  details = 'no connection',
  isJudged = true,
  before = () => undefined,
}: Recording): CallReport {
  const rng = seeded(seed)
  let nowMs = 1_000
  const series = new RunSeries(() => nowMs)
  const log = new RunLog()
  const recorder = new Recorder(series)
  const registered = toGrpcEndpoints([...endpoints], { where: {}, spillOver: false })
  log.list = { revision: 7, selected: endpoints, registered: endpoints, registries: [] } as never
  log.rotated(registered.map((endpoint) => ({ endpoint, weight: endpoint.weight, isAway: false })))
  log.begin(nowMs, series)
  /** Each endpoint as many times as its weight, which is small in these tests. */
  const slots = registered.flatMap((one) => Array.from({ length: one.weight }, () => one))
  for (let call = 1; call <= calls; call++) {
    nowMs = 1_000 + ((call - 1) * 1_000) / perSecond
    before(call, log, registered)
    const picked = slots[Math.floor(rng() * slots.length)]
    if (!picked) throw new Error('no endpoint')
    log.picked(picked, call)
    const isFailed = rng() < failing
    recorder.record({
      number: call,
      endpoint: log.takeEndpoint(call)?.registration ?? null,
      status: isFailed ? 'UNAVAILABLE' : 'OK',
      statusCode: isFailed ? 14 : 0,
      details: isFailed ? details : '',
      latencyMs: 10 ** (rng() * 3 - 0.5),
      isMisrouted: false,
      errorDetails: [],
    } as unknown as CallResult)
  }
  const elapsedMs = (calls * 1_000) / perSecond
  return assemble(
    {
      session: {
        service: 'hello',
        target: 'etcd:///hello',
        policy: { name: 'weighted_random', shares: isJudged ? 'random' : 'none' },
        log,
      } as unknown as Session,
      readiness: {
        ready: endpoints.length,
        wanted: endpoints.length,
        registered: endpoints.length,
        unusable: 0,
        elapsedMs: 12,
        unready: [],
      },
      method: { name: 'helloworld.Greeter/SayHello', streamsReplies: false } as Method,
      load: { calls, durationMs: Number.POSITIVE_INFINITY, concurrency: 1, perSecond },
      pace: new Pace(),
      recorder,
      series,
      elapsedMs,
    },
    false,
  )
}
