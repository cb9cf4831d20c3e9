import type { Invoker } from '../grpc/invoker.js'
import { assemble } from './assemble.js'
import type { RunPlan } from './caller.js'
import { Caller } from './caller.js'
import { Cancellation, type Stops } from './cancellation.js'
import type { Readiness } from './connection-states.js'
import { generate } from './load/generate.js'
import { Pace } from './load/pace.js'
import { Recorder } from './recorder.js'
import type { CallReport } from './report.js'
import type { RunSeries } from './run-series.js'
import type { Session } from './session.js'

/**
 * Warms up, makes the calls of a plan, and reports.
 *
 * @param series records the counted calls over time; null to record nothing
 * @param onStart receives the recorder before the first call
 */
export async function run(
  session: Session,
  readiness: Readiness,
  invoker: Invoker,
  plan: RunPlan,
  stops: Stops,
  series: RunSeries | null = null,
  onStart: (recorder: Recorder) => void = () => undefined,
): Promise<CallReport> {
  using cancellation = new Cancellation(invoker, stops)
  const { signal } = cancellation
  const caller = new Caller(session, invoker, plan, cancellation.fail)
  if (plan.warmup) await cancellation.waitFor(generate(plan.warmup, caller.warmUp, signal))
  const recorder = new Recorder(series)
  const pace = new Pace()
  const startedAtMs = performance.now()
  session.log.begin(startedAtMs, series)
  onStart(recorder)
  await cancellation.waitFor(generate(plan.load, caller.measure(recorder), signal, pace, plan.reader))
  const elapsedMs = performance.now() - startedAtMs
  return assemble(
    { session, readiness, method: invoker.method, load: plan.load, recorder, pace, series, elapsedMs },
    stops.once.aborted,
  )
}
