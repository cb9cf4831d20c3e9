import type { Invoker } from '../grpc/invoker.js'
import { assemble } from './assemble.js'
import type { RunPlan } from './caller.js'
import { Caller } from './caller.js'
import { Cancellation, type Stops } from './cancellation.js'
import type { Readiness } from './contacts.js'
import { generate } from './load/generate.js'
import { Pace } from './load/pace.js'
import { Recorder } from './recorder.js'
import type { CallReport } from './report.js'
import type { Session } from './session.js'

/** Warms up, makes the calls of a plan, and reports. @param onStart receives the recorder before the first call */
export async function run(
  session: Session,
  readiness: Readiness,
  invoker: Invoker,
  plan: RunPlan,
  stops: Stops,
  onStart: (recorder: Recorder) => void = () => undefined,
): Promise<CallReport> {
  using end = new Cancellation(invoker, stops)
  const caller = new Caller(session, invoker, plan, end.fail)
  if (plan.warmup) await end.orOf(generate(plan.warmup, caller.warmUp, end.signal))
  const recorder = new Recorder()
  const pace = new Pace()
  const startedAtMs = performance.now()
  session.log.begin(startedAtMs)
  onStart(recorder)
  await end.orOf(generate(plan.load, caller.measure(recorder), end.signal, pace, plan.reader))
  const elapsedMs = performance.now() - startedAtMs
  return assemble(
    { session, readiness, method: invoker.method, load: plan.load, recorder, pace, elapsedMs },
    stops.once.aborted,
  )
}
