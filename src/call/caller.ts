import type { CallSettings, Invoker } from '../grpc/invoker.js'
import { EndedCall } from './ended-call.js'
import type { MakeCall } from './load/load.js'
import type { RunPlan } from './plan.js'
import type { Recorder } from './recorder.js'
import type { CallResult } from './report.js'
import type { Session } from './session.js'

/** Makes single calls of a plan, each with a number of its own. */
export class Caller {
  /** The channel knows calls by it; those of the warm-up have others than those that count. */
  private lastId = 0
  private readonly settings: CallSettings
  /** Of calls whose replies nobody wants to know. */
  private readonly quiet: CallSettings

  constructor(
    private readonly session: Session,
    private readonly invoker: Invoker,
    private readonly plan: RunPlan,
    private readonly fail: (error: unknown) => void,
  ) {
    const { deadlineMs, wantsHeaders, keepsReplies, onReply, reader } = plan
    this.quiet = { deadlineMs, wantsHeaders: false, keepsReplies: false }
    const tell = onReply && this.guarded(onReply)
    this.settings = { deadlineMs, wantsHeaders, keepsReplies, onReply: tell, reader }
  }

  /** All send what the first call that counts does. */
  readonly warmUp: MakeCall = (intendedAtMs, done) => this.call(1, intendedAtMs, this.quiet, () => done())

  measure(recorder: Recorder): MakeCall {
    const { onResult } = this.plan
    let lastNumber = 0
    return (intendedAtMs, done) =>
      this.call(++lastNumber, intendedAtMs, this.settings, (result) => {
        recorder.record(result)
        onResult?.(result)
        done()
      })
  }

  private call(
    number: number,
    intendedAtMs: number,
    settings: CallSettings,
    done: (result: CallResult) => void,
  ): void {
    const callId = ++this.lastId
    try {
      this.invoker.invoke(callId, this.plan.content(number), settings, (outcome) => {
        const latencyMs = performance.now() - intendedAtMs
        const endpoint = this.session.log.takeEndpoint(callId)
        const result = new EndedCall(number, latencyMs, endpoint, outcome, this.invoker.method)
        try {
          done(result)
        } catch (error) {
          this.fail(error)
        }
      })
    } catch (error) {
      this.fail(error)
    }
  }

  /** What is thrown where grpc-js tells of a reply would end the process. */
  private guarded(tell: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
    return (bytes) => {
      try {
        tell(bytes)
      } catch (error) {
        this.fail(error)
      }
    }
  }
}
