import type { Endpoint } from '../domain/endpoint.js'
import { withoutWrapping } from '../grpc/connection-problem.js'
import { type Outcome, type Pairs, pairsOf } from '../grpc/invoker.js'
import type { Method } from '../grpc/methods/method.js'
import { isPeer, type RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { CallResult } from './report.js'

/** gRPC's status of a call that succeeded. */
const OK = 0

/** A call's result; what only some readers want is made when it is read. */
export class EndedCall implements CallResult {
  readonly endpoint: Endpoint | null
  readonly isMisrouted: boolean

  constructor(
    readonly number: number,
    readonly latencyMs: number,
    endpoint: RegisteredEndpoint | undefined,
    private readonly outcome: Outcome,
    private readonly method: Method,
  ) {
    this.endpoint = endpoint?.registration ?? null
    // A call that failed may have had no connection, so only one that was answered tells.
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
    const replies = this.outcome.replies.map((bytes) => this.method.decode(bytes))
    return this.method.streamsReplies ? replies : (replies[0] ?? null)
  }

  get headers(): Pairs {
    return pairsOf(this.outcome.headers)
  }

  get trailers(): Pairs {
    return pairsOf(this.outcome.trailers)
  }
}
