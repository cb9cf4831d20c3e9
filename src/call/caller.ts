import type { Endpoint } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { withoutWrapping } from '../grpc/connection-problem.js'
import {
  type CallContent,
  type CallSettings,
  type Invoker,
  type Outcome,
  type Pairs,
  pairsOf,
} from '../grpc/invoker.js'
import type { DecodedDetails, DecodedReply, Method } from '../grpc/methods/method.js'
import { isPeer, type RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { Load, MakeCall } from './load/load.js'
import type { Recorder } from './recorder.js'
import type { CallResult } from './report.js'
import type { Session } from './session.js'

/** The calls of a run. The settings apply to each call; a warm-up ignores its replies. */
export interface RunPlan extends CallSettings {
  readonly load: Load
  /** The calls before the counted ones, which the report excludes; null without a warm-up. */
  readonly warmup: Load | null
  /** @param number the call's number, from 1 on, over the whole run */
  readonly content: (number: number) => CallContent
  /** Called after each call, as it ends. */
  readonly onResult?: (result: CallResult) => void
}

/** Makes single calls of a plan, each with its number. */
export class Caller {
  /** Identifies a call to the channel's observer. Warm-up calls and counted calls share the sequence. */
  private lastId = 0
  private readonly settings: CallSettings
  /** Settings of the warm-up, which ignores replies. */
  private readonly warmupSettings: CallSettings

  constructor(
    private readonly session: Session,
    private readonly invoker: Invoker,
    private readonly plan: RunPlan,
    private readonly fail: (error: unknown) => void,
  ) {
    const { deadlineMs, maxMessageBytes, wantsHeaders, keepsReplies, onReply, reader } = plan
    this.warmupSettings = { deadlineMs, maxMessageBytes, wantsHeaders: false, keepsReplies: false }
    const guarded = onReply && this.guarded(onReply)
    this.settings = { ...this.warmupSettings, wantsHeaders, keepsReplies, onReply: guarded, reader }
  }

  /** Every warm-up call sends the content of the first counted call. */
  readonly warmUp: MakeCall = (intendedAtMs, done) =>
    this.call(1, intendedAtMs, this.warmupSettings, () => done())

  /** Returns a function that makes the counted calls, numbered from 1 on. */
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
      this.invoker.invoke(callId, this.guardedContent(number), settings, (outcome) => {
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

  private guardedContent(number: number): CallContent {
    const content = this.plan.content(number)
    return content.live ? { ...content, live: this.guardedMessages(content.live) } : content
  }

  /** An error of the live input fails the run. */
  private async *guardedMessages(live: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* live
    } catch (error) {
      this.fail(error)
    }
  }

  /** An exception inside a listener of grpc-js would end the process, so it fails the run instead. */
  private guarded(onReply: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
    return (bytes) => {
      try {
        onReply(bytes)
      } catch (error) {
        this.fail(error)
      }
    }
  }
}

/** gRPC's status of a successful call. */
const OK = 0

/** The result of a call. Replies, headers and trailers are decoded only when they are read. */
export class EndedCall implements CallResult {
  readonly endpoint: Endpoint | null
  readonly isMisrouted: boolean
  private knownReplies: readonly DecodedReply[] | null = null
  private knownDetails: readonly DecodedDetails[] | null = null

  constructor(
    readonly number: number,
    readonly latencyMs: number,
    endpoint: RegisteredEndpoint | undefined,
    private readonly outcome: Outcome,
    private readonly method: Method,
  ) {
    this.endpoint = endpoint?.registration ?? null
    // A failed call may have had no connection, so only an answered call can be misrouted.
    this.isMisrouted = outcome.statusCode === OK && !(endpoint && isPeer(endpoint, outcome.peer))
  }

  get status(): string {
    return this.outcome.status
  }

  get statusCode(): number {
    return this.outcome.statusCode
  }

  get details(): string {
    return withoutWrapping(this.outcome.details)
  }

  get replies(): number {
    return this.outcome.replyCount
  }

  get reply(): unknown {
    const replies = this.decodedReplies().map(({ json }) => json)
    return this.method.streamsReplies ? replies : (replies[0] ?? null)
  }

  get replyProblem(): DiscoError | null {
    return this.decodedReplies().find(({ problem }) => problem !== null)?.problem ?? null
  }

  get errorDetails(): readonly unknown[] {
    return this.decodedDetails().flatMap(({ json }) => json)
  }

  get isComplete(): boolean {
    return !this.method.canFetchTypesFor({ undescribed: this.undescribed() })
  }

  async complete(): Promise<void> {
    // Another call may have fetched the types meanwhile, and a fetched type may refer to types that are not described.
    do {
      this.knownReplies = null
      this.knownDetails = null
    } while (await this.method.fetchTypesFor({ undescribed: this.undescribed() }))
  }

  private undescribed() {
    return [...this.decodedReplies(), ...this.decodedDetails()].flatMap(({ undescribed }) => undescribed)
  }

  private decodedDetails(): readonly DecodedDetails[] {
    this.knownDetails ??= this.outcome.trailers
      .get('grpc-status-details-bin')
      .map((status) => this.method.decodeDetails(Buffer.from(status)))
    return this.knownDetails
  }

  private decodedReplies(): readonly DecodedReply[] {
    this.knownReplies ??= this.outcome.replies.map((bytes) => this.method.decode(bytes))
    return this.knownReplies
  }

  get headers(): Pairs {
    return pairsOf(this.outcome.headers)
  }

  get trailers(): Pairs {
    return pairsOf(this.outcome.trailers)
  }
}
