import type { Invoker } from '../grpc/invoker.js'
import { assemble } from './assemble.js'
import { EndedCall } from './ended-call.js'
import { generate, type MakeCall } from './load.js'
import type { RunPlan } from './plan.js'
import { Recorder } from './recorder.js'
import type { CallReport, CallResult } from './report.js'
import type { Readiness, Session } from './session.js'

/** How long calls under way may go on after an interruption. */
const GRACE_MS = 1_000
/** How long they may then take to be cancelled: a report must not wait for one that cannot be. */
const CUT_MS = 250

/** What ends a run early. */
export interface Stops {
  /** No new calls; those under way get a moment to end. */
  readonly once: AbortSignal
  /** Those under way are cancelled. */
  readonly twice: AbortSignal
}

/** Warms up, makes the calls of a plan, and reports. @param onStart told the records, which fill meanwhile */
export async function run(
  session: Session,
  readiness: Readiness,
  invoker: Invoker,
  plan: RunPlan,
  stops: Stops,
  onStart: (recorder: Recorder) => void = () => undefined,
): Promise<CallReport> {
  const caller = new Caller(session, invoker, plan)
  using cut = new Cut(invoker, stops)
  if (plan.warmup) await cut.orEnd(generate(plan.warmup, caller.warmUp, stops.once))
  const recorder = new Recorder()
  const startedAtMs = performance.now()
  session.log.begin(startedAtMs)
  onStart(recorder)
  await cut.orEnd(generate(plan.load, caller.measure(recorder), stops.once))
  const elapsedMs = performance.now() - startedAtMs
  return assemble(
    { session, readiness, method: invoker.method, load: plan.load, recorder, elapsedMs },
    stops.once.aborted,
  )
}

/** Cancels what is under way some time after the first stop, or with the second. */
class Cut implements Disposable {
  private timer: NodeJS.Timeout | undefined
  private giveUp = () => {}
  private readonly givenUp = new Promise<void>((resolve) => {
    this.giveUp = resolve
  })
  private readonly wait = () => this.in(GRACE_MS, this.cut)
  private readonly cut = () => {
    this.invoker.cancelAll()
    this.in(CUT_MS, this.giveUp)
  }

  constructor(
    private readonly invoker: Invoker,
    private readonly stops: Stops,
  ) {
    stops.once.addEventListener('abort', this.wait)
    stops.twice.addEventListener('abort', this.cut)
  }

  /** Waits for the calls as long as there is hope. */
  async orEnd(calls: Promise<void>): Promise<void> {
    await Promise.race([calls, this.givenUp])
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    this.stops.once.removeEventListener('abort', this.wait)
    this.stops.twice.removeEventListener('abort', this.cut)
  }

  private in(ms: number, then: () => void): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(then, ms)
  }
}

/** Makes single calls of a plan, each with a number of its own. */
class Caller {
  /** The channel knows calls by it; those of the warm-up have others than those that count. */
  private lastId = 0

  constructor(
    private readonly session: Session,
    private readonly invoker: Invoker,
    private readonly plan: RunPlan,
  ) {}

  readonly warmUp: MakeCall = (intendedAtMs, done) => this.call(1, intendedAtMs, done)

  measure(recorder: Recorder): MakeCall {
    const { onResult } = this.plan
    let lastNumber = 0
    return (intendedAtMs, done) =>
      this.call(++lastNumber, intendedAtMs, (result) => {
        recorder.record(result)
        onResult?.(result)
        done()
      })
  }

  private call(number: number, intendedAtMs: number, done: (result: CallResult) => void): void {
    const { deadlineMs, content, wantsHeaders, keepsReplies, onReply } = this.plan
    const callId = ++this.lastId
    const { messages, headers, hashKey } = content(number)
    const request = { messages, headers, hashKey, callId, deadlineMs, wantsHeaders, keepsReplies, onReply }
    this.invoker.invoke(request, (outcome) => {
      const latencyMs = performance.now() - intendedAtMs
      const endpoint = this.session.log.takeEndpoint(callId)
      done(new EndedCall(number, latencyMs, endpoint, outcome, this.invoker.method))
    })
  }
}
