import { DiscoError } from '../domain/errors.js'
import { Invoker } from '../grpc/invoker.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import type { Method } from '../grpc/methods/method.js'
import { NO_KEYS, type Policy } from '../policies/index.js'
import type { RunPlan } from './caller.js'
import type { Stops } from './cancellation.js'
import type { ConnectGoal } from './connect-goal.js'
import type { Readiness } from './contacts.js'
import { contentOf, requireJson, singleCallKeys, type Texts } from './content.js'
import { describedByServer } from './description.js'
import type { Recorder } from './recorder.js'
import type { CallReport } from './report.js'
import { run } from './run.js'
import { Session, type SessionSettings } from './session.js'

/** A service, and how it is reached and described. */
export interface Approach {
  readonly service: string
  readonly settings: SessionSettings
  /** How long finding, connecting to and describing the service may take, each. */
  readonly stageMs: number
  /** Null where its servers are to be asked. */
  readonly described: Descriptors | null
  /** Called where there is no such service: whoever knows the names that were meant may throw. */
  readonly onMissing: () => Promise<unknown>
}

/** The calls that are wanted. */
export interface Order extends Pick<RunPlan, 'load' | 'warmup' | 'deadlineMs'> {
  /** A bare name, or package.Service/Method. */
  readonly method: string
  readonly texts: Texts
}

/** The method that is called, as far as those who watch must know it. */
export type Called = Pick<Method, 'name' | 'streamsReplies' | 'decode'>
export type Listeners = Pick<RunPlan, 'keepsReplies' | 'wantsHeaders' | 'onResult' | 'onReply' | 'reader'>

/** Somebody who is told how far it is. */
export interface Watcher {
  /** Something is waited for: `what` tells it as it stands when it is asked. */
  waits(what: () => string): void
  /** Connections stand as far as they will. */
  reached(session: Session): void
  /** Calls are made and recorded from now on. */
  starts(recorder: Recorder, method: Called): void
  /** What is to be told of each call. */
  listenersTo(method: Called): Listeners
}

/**
 * Makes the same calls under one policy after the other.
 *
 * @returns a report for each policy; fewer where it was stopped
 * @throws DiscoError NOT_FOUND for a service or method that is not there, RPC_FAILED where nobody can be reached
 *   or no server tells of its methods, USAGE for texts that are no messages of the method
 */
export async function callUnder(
  policies: readonly Policy[],
  approach: Approach,
  order: Order,
  watcher: Watcher,
  stops: Stops,
): Promise<CallReport[]> {
  const reports: CallReport[] = []
  const isSingle = order.load.calls === 1 && order.warmup === null
  const goal = (isSingle ? singleCallKeys(order.texts) : null) ?? 'all'
  const { load, warmup, deadlineMs, texts } = order
  // What is wrong with the request is said before endpoints are waited for: the first that is READY describes it.
  requireJson(texts)
  const prepare = (descriptors: Descriptors) => {
    const method = descriptors.method(order.method)
    return { method, content: contentOf(method, texts, load.calls) }
  }
  let prepared = approach.described && prepare(approach.described)
  for (const policy of policies) {
    using session = new Session(approach.service, policy, approach.settings)
    if (!prepared) {
      const first = goal === 'all' ? NO_KEYS : goal
      await connect(session, approach, watcher, stops.once, first)
      prepared = prepare(await describedBy(session, approach, watcher, stops.once))
    }
    const readiness = await connect(session, approach, watcher, stops.once, goal)
    watcher.reached(session)
    const { method, content } = prepared
    const plan = { load, warmup, deadlineMs, content, ...watcher.listenersTo(method) }
    if (warmup) watcher.waits(() => 'warming up')
    const invoker = new Invoker(session.client, method)
    const start = (recorder: Recorder) => watcher.starts(recorder, method)
    reports.push(await run(session, readiness, invoker, plan, stops, start))
    if (stops.once.aborted) break
  }
  return reports
}

/** What can be called, without calling it. @throws DiscoError as `callUnder` */
export async function describe(
  policy: Policy,
  approach: Approach,
  watcher: Watcher,
  stop: AbortSignal,
): Promise<Descriptors> {
  using session = new Session(approach.service, policy, approach.settings)
  await connect(session, approach, watcher, stop, NO_KEYS)
  watcher.reached(session)
  return approach.described ?? (await describedBy(session, approach, watcher, stop))
}

async function connect(
  session: Session,
  { stageMs, onMissing }: Approach,
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
  { service, stageMs }: Approach,
  watcher: Watcher,
  stop: AbortSignal,
): Promise<Descriptors> {
  watcher.waits(() => `asking ${service} for its methods`)
  return await describedByServer(session.client, stageMs, stop)
}
