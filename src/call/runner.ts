import { DiscoError } from '../domain/errors.js'
import { Invoker } from '../grpc/invoker.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import type { Method } from '../grpc/methods/method.js'
import { typesByReflection } from '../grpc/methods/reflect-types.js'
import type { Headers } from '../grpc/protocol.js'
import { NO_KEYS, type Policy } from '../policies/index.js'
import type { RunPlan } from './caller.js'
import type { Stops } from './cancellation.js'
import type { ConnectGoal } from './connect-goal.js'
import type { Readiness } from './connection-states.js'
import { requireJson, singleCallKeys } from './content.js'
import { describedByServer } from './description.js'
import { type Order, prepare } from './prepare.js'
import type { Recorder } from './recorder.js'
import type { CallReport } from './report.js'
import { run } from './run.js'
import { RunSeries } from './run-series.js'
import { Session, type SessionSettings } from './session.js'

/** The service under test: how to connect to it and where its methods are described. */
export interface CallSetup {
  readonly service: string
  readonly settings: SessionSettings
  /** Limit for each of resolving, connecting and reflection, in milliseconds. */
  readonly stageMs: number
  /** Headers of reflection requests. */
  readonly reflectionHeaders: Headers
  /** Null to use server reflection. */
  readonly described: Descriptors | null
  /** Called if the service does not exist. May throw an error that suggests similar names. */
  readonly onMissing: () => Promise<unknown>
}

/** The called method, reduced to what a progress listener needs. */
export type CalledMethod = Pick<
  Method,
  'name' | 'streamsReplies' | 'decode' | 'canFetchTypesFor' | 'fetchTypesFor'
>
export type Listeners = Pick<RunPlan, 'keepsReplies' | 'wantsHeaders' | 'onResult' | 'onReply' | 'reader'>

/** Listens to the progress of a run. */
export interface Watcher {
  /** A stage began. `what` describes its current state each time it is called. */
  waits(what: () => string): void
  /** Connecting has ended. */
  reached(session: Session): void
  /** The counted calls begin. */
  starts(recorder: Recorder, method: CalledMethod): void
  /** The listeners for each call. */
  listenersTo(method: CalledMethod): Listeners
  /** Resolves when everything that the listeners received has been shown; rejects with an error of showing it. */
  settled(): Promise<void>
}

/**
 * Makes the same calls under each policy in turn.
 *
 * @returns one report per policy, as soon as its run has ended; fewer if the run was stopped
 * @throws DiscoError NOT_FOUND for an unknown service or method, RPC_FAILED if no endpoint is READY or reflection
 *   fails, USAGE for texts that are not messages of the method
 */
export async function* callUnder(
  policies: readonly Policy[],
  setup: CallSetup,
  order: Order,
  watcher: Watcher,
  stops: Stops,
): AsyncGenerator<CallReport, void, void> {
  const isSingle = order.load.calls === 1 && order.warmup === null
  const goal = (isSingle ? singleCallKeys(order.texts) : null) ?? 'all'
  const { load, warmup, texts } = order
  // Reports invalid JSON before the wait for an endpoint that describes the method.
  if (!order.live) requireJson(texts)
  let prepared = setup.described && (await prepare(setup.described, order, stops.once))
  for (const policy of policies) {
    using session = new Session(setup.service, policy, setup.settings)
    if (!prepared) {
      const first = goal === 'all' ? NO_KEYS : goal
      await connect(session, setup, watcher, stops.once, first)
      const descriptors = await describedBy(session, setup, watcher, stops.once)
      prepared = await prepare(descriptors, order, stops.once)
    } else if (!setup.described) fetchTypesBy(session, prepared.descriptors, setup, stops.once)
    const readiness = await connect(session, setup, watcher, stops.once, goal)
    watcher.reached(session)
    const { method, content, deadlineMs, isLive } = prepared
    const { maxMessageBytes } = setup.settings
    const plan = { load, warmup, deadlineMs, maxMessageBytes, content, ...watcher.listenersTo(method) }
    if (warmup) watcher.waits(() => 'warming up')
    const invoker = new Invoker(session.client, method)
    const start = (recorder: Recorder) => watcher.starts(recorder, method)
    // A call with live input may not end by itself: the first stop signal cancels it.
    const ends = isLive ? { once: stops.once, twice: stops.once } : stops
    const series = order.keepsSeries ? new RunSeries(() => performance.now()) : null
    const report = await run(session, readiness, invoker, plan, ends, series, start)
    await watcher.settled()
    await report.last?.complete()
    await report.firstFailure?.complete()
    yield report
    if (stops.once.aborted) break
  }
}

/**
 * Describes the methods of a service without calling them.
 *
 * @param use receives the descriptors while the channel is open, so that further types can be fetched
 * @throws DiscoError as `callUnder`
 */
export async function describe<Result>(
  policy: Policy,
  setup: CallSetup,
  watcher: Watcher,
  stop: AbortSignal,
  use: (descriptors: Descriptors) => Promise<Result>,
): Promise<Result> {
  using session = new Session(setup.service, policy, setup.settings)
  await connect(session, setup, watcher, stop, NO_KEYS)
  watcher.reached(session)
  return await use(setup.described ?? (await describedBy(session, setup, watcher, stop)))
}

async function connect(
  session: Session,
  { stageMs, onMissing }: CallSetup,
  watcher: Watcher,
  stop: AbortSignal,
  goal: ConnectGoal,
): Promise<Readiness> {
  watcher.waits(() => session.stage)
  return await session.connect(stageMs, stop, goal).catch(async (error: unknown) => {
    if (error instanceof DiscoError && error.code === 'NOT_FOUND') await onMissing()
    throw error
  })
}

async function describedBy(
  session: Session,
  setup: CallSetup,
  watcher: Watcher,
  stop: AbortSignal,
): Promise<Descriptors> {
  const { service, stageMs, reflectionHeaders } = setup
  watcher.waits(() => `asking ${service} for its methods`)
  const descriptors = await describedByServer(session.client, stageMs, stop, reflectionHeaders)
  fetchTypesBy(session, descriptors, setup, stop)
  return descriptors
}

/** From now on, fetches types that occur in messages but are not described, by reflection through this session. */
function fetchTypesBy(
  { client }: Session,
  { lookup }: Descriptors,
  { stageMs, reflectionHeaders }: CallSetup,
  stop: AbortSignal,
): void {
  lookup.fetchWith(typesByReflection(client, stageMs, stop, reflectionHeaders))
}
