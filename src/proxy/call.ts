import {
  type ClientHttp2Stream,
  constants,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { status } from '../grpc/protocol.js'
import type { CallKeys } from '../policies/index.js'
import type { Connection } from './connection.js'
import type { Waiting } from './pool.js'
import { Reply } from './reply.js'
import { type CallerMemory, RequestBody } from './request-body.js'
import type { BalancedService, WaitingCall } from './service.js'
import { type GrpcStatus, refuse, statusOfReset } from './status.js'
import { Upstream } from './upstream.js'

/**
 * How long a call waits at least while endpoints are connecting, as after a restart of the only one. A longer `waitMs`
 * applies instead.
 */
const CONNECTING_MS = 1_000

/** Maximum number of attempts of one call, so that it ends even if every server refuses it. */
const MAX_ATTEMPTS = 5

/** The status of calls that are open when the proxy ends. */
const SHUT_DOWN: GrpcStatus = {
  code: status.UNAVAILABLE,
  details: 'The proxy shut down before the call ended',
}

export interface CallSettings {
  readonly memory: CallerMemory
  /** How long a call waits if no endpoint is READY. */
  readonly waitMs: number
}

/** A call as it was received. */
export interface CallRequest {
  readonly stream: ServerHttp2Stream
  /** The headers that are sent to the backend. */
  readonly headers: OutgoingHttpHeaders
  readonly keys: CallKeys
  /** Address of the caller. */
  readonly peer: string
}

/**
 * What ended the call. `caller`: the caller cancelled it, or its connection ended. `proxy`: the proxy has no route for
 * it, or shut down. `endpoint`: the status is that of the endpoint, or no endpoint could be reached.
 */
export type EndedBy = 'endpoint' | 'caller' | 'proxy'

/** The outcome of a call. */
export interface CallEnd {
  /** The service; null if no route matched. */
  readonly service: BalancedService | null
  /** The endpoint of the last attempt; null if there was none. */
  readonly upstream: Upstream | null
  readonly path: string
  /** Address of the caller. */
  readonly peer: string
  readonly code: status
  /** The reason if the status is not that of an endpoint; null otherwise. */
  readonly details: string | null
  readonly endedBy: EndedBy
  readonly tookMs: number
  /** The number of times that the call was sent again. */
  readonly replays: number
}

/** One call: picks an endpoint, passes the bytes both ways, and picks again if the endpoint has not processed it. */
export class Call implements Waiting, WaitingCall {
  private readonly body: RequestBody
  private readonly startedMs = performance.now()
  private attempts = 0
  private upstream: Upstream | null = null
  private upstreamStream: ClientHttp2Stream | null = null
  /** The reply to the last attempt. */
  private reply: Reply | null = null
  /** Whether a server has begun to reply. */
  private hasBegun = false
  private isOver = false
  private isCut = false
  private waitTimer: NodeJS.Timeout | null = null
  /** When the call began to wait for an endpoint; null while it has one. */
  private waitsSinceMs: number | null = null

  constructor(
    private readonly request: CallRequest,
    private readonly service: BalancedService,
    private readonly settings: CallSettings,
    private readonly report: (end: CallEnd) => void,
  ) {
    this.body = new RequestBody(request.stream, settings.memory)
    // Node does not destroy a stream that is reset while its data are not read: it emits `aborted`, but not `close`.
    request.stream.once('aborted', () => this.callerLeft())
    request.stream.once('close', () => this.callerLeft())
  }

  /** Must be called once. */
  start(): void {
    this.pick()
  }

  /** Ends the call because the proxy shuts down. A complete reply still reaches the caller. */
  cut(): void {
    this.isCut = true
    if (this.isOver || this.reply?.isOver) return
    const { reply, upstreamStream } = this
    this.end(SHUT_DOWN, 'proxy', reply)
    if (upstreamStream) abandon(upstreamStream)
  }

  /** Picks again, because endpoints have changed while the call waited. */
  retry(): void {
    this.service.leave(this)
    this.pick()
  }

  begin(connection: Connection): boolean {
    const { upstream } = this
    if (this.isOver) return true
    if (!upstream) return false
    this.request.headers[':scheme'] = upstream.scheme
    const stream = this.open(connection)
    if (!stream) return this.isOver
    this.attempts++
    this.upstreamStream = stream
    upstream.outstanding.onCallStarted()
    const reply = new Reply(stream, this.request.stream, {
      begun: () => {
        this.hasBegun = true
        upstream.answered()
        this.body.forget()
      },
      passed: (code) => this.finish(code, null),
      refused: (details) => {
        abandon(stream)
        this.fail({ code: status.INTERNAL, details: `${addressOf(upstream)}: ${details}` })
      },
    })
    this.reply = reply
    stream.on('error', () => {
      // `close` follows, with the error code.
    })
    stream.once('close', () => {
      upstream.outstanding.onCallEnded()
      // The reason why a session ended is known only after its streams have closed.
      if (this.isOver || reply.isOver) this.body.discard()
      else setImmediate(() => this.attemptEnded(stream, connection, reply))
    })
    this.body.sendTo(stream)
    return true
  }

  /** Node throws for headers that HTTP/2 forbids; only this call fails. */
  private open(connection: Connection): ClientHttp2Stream | null {
    try {
      return connection.request(this.request.headers)
    } catch (thrown) {
      this.fail({
        code: status.INTERNAL,
        details: `The headers cannot be forwarded: ${(thrown as Error).message}`,
      })
      return null
    }
  }

  rejected(): void {
    this.upstream = null
    this.pick()
  }

  private pick(): void {
    if (this.isOver) return
    if (this.waitTimer) clearTimeout(this.waitTimer)
    const chosen = this.service.choose(this.request.keys)
    if (chosen instanceof Upstream) {
      this.waitsSinceMs = null
      this.upstream = chosen
      chosen.admit(this)
      return
    }
    const nowMs = performance.now()
    this.waitsSinceMs ??= nowMs
    const leftMs = this.waitsSinceMs + this.maxWaitMs(chosen.shouldWait) - nowMs
    if (leftMs <= 0) this.fail({ code: status.UNAVAILABLE, details: chosen.why })
    else {
      this.service.join(this)
      this.waitTimer = setTimeout(() => this.retry(), leftMs)
    }
  }

  private maxWaitMs(shouldWait: boolean): number {
    return shouldWait ? Math.max(CONNECTING_MS, this.settings.waitMs) : this.settings.waitMs
  }

  private attemptEnded(stream: ClientHttp2Stream, connection: Connection, reply: Reply): void {
    if (this.isOver || reply.isOver) return
    if (
      !this.hasBegun &&
      connection.hasNotBegun(stream) &&
      this.body.canReplay &&
      this.attempts < MAX_ATTEMPTS
    ) {
      this.body.hold()
      this.upstream = null
      this.pick()
      return
    }
    this.end(this.statusOf(stream, connection), 'endpoint', reply)
  }

  /** Ends the call with a status of the proxy, which is sent in trailers if the reply has begun. */
  private end(failure: GrpcStatus, endedBy: EndedBy, reply: Reply | null): void {
    // Before `reply.fail`: that resets the caller's stream if the reply is not gRPC, and `callerLeft` would then report
    // that the caller cancelled.
    this.finish(failure.code, failure.details, endedBy)
    if (this.hasBegun) reply?.fail(failure)
    else refuse(this.request.stream, failure)
    this.body.discard()
  }

  /** The status of a failed stream. Streams of a lost session end with CANCEL, which the server did not send. */
  private statusOf(stream: ClientHttp2Stream, connection: Connection): GrpcStatus {
    const addr = this.upstream ? addressOf(this.upstream) : ''
    if (connection.isLost) return { code: status.UNAVAILABLE, details: `${addr}: ${connection.reason}` }
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR)
      return { code: status.UNKNOWN, details: `${addr}: ended its reply without a status` }
    const details = `${addr}: reset the stream (HTTP/2 error code ${stream.rstCode})`
    return { code: statusOfReset(stream.rstCode), details }
  }

  private fail(failure: GrpcStatus): void {
    refuse(this.request.stream, failure)
    this.body.discard()
    this.finish(failure.code, failure.details)
  }

  private callerLeft(): void {
    if (this.upstreamStream) abandon(this.upstreamStream)
    this.body.discard()
    if (this.isCut) this.finish(SHUT_DOWN.code, SHUT_DOWN.details, 'proxy')
    else this.finish(status.CANCELLED, 'The caller cancelled', 'caller')
  }

  private finish(code: status, details: string | null, endedBy: EndedBy = 'endpoint'): void {
    if (this.isOver) return
    this.isOver = true
    if (this.waitTimer) clearTimeout(this.waitTimer)
    this.service.leave(this)
    this.upstream?.dismiss(this)
    this.body.forget()
    const { headers, peer } = this.request
    this.report({
      service: this.service,
      upstream: this.upstream,
      path: String(headers[':path']),
      peer,
      code,
      details,
      endedBy,
      tookMs: performance.now() - this.startedMs,
      replays: Math.max(0, this.attempts - 1),
    })
  }
}

/** Resets a stream to a backend, and discards received data: a paused stream with data would never close. */
function abandon(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL)
  stream.resume()
}

function addressOf({ endpoint }: Upstream): string {
  return endpoint.registration.addr
}
