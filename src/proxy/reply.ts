import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { status } from '../grpc/protocol.js'
import { type RawHeaders, relayed } from './headers.js'
import { endReading, type GrpcStatus, trailersOf, WHOLE_REPLY } from './status.js'

/** A reply with its status in trailers. */
const REPLY_WITH_TRAILERS = { waitForTrailers: true, sendDate: false }

export interface ReplyEvents {
  /** The server has begun to reply: the call cannot be sent again. */
  begun(): void
  /** The whole reply was passed on. @param code its gRPC status, as the caller gets it */
  passed(code: status): void
  /** The reply has headers that HTTP/2 forbids; nothing was passed on. @param details a clause about the server */
  refused(details: string): void
}

/**
 * Passes the reply of a backend on to the caller, unchanged. The reply ends when all data were passed on *and* the
 * trailers have arrived: Node emits trailers before a slow reader has read the data that precede them.
 */
export class Reply {
  private trailers: OutgoingHttpHeaders | null = null
  private hasData = true
  private isGrpc = true
  /** Whether the reply is complete: all of it was handed to HTTP/2. */
  isOver = false

  constructor(
    private readonly from: ClientHttp2Stream,
    private readonly to: ServerHttp2Stream,
    private readonly events: ReplyEvents,
  ) {
    from
      .once('response', (joined, flags: number, raw?: RawHeaders) => this.begin(joined, flags, raw ?? []))
      .once('trailers', (joined, _flags: number, raw?: RawHeaders) => {
        this.trailers = relayed(raw ?? [], joined)
        this.finish()
      })
  }

  /** Ends a reply that is not complete. The caller gets this status after the data that were passed on. */
  fail(status: GrpcStatus): void {
    if (this.isOver || this.isGone) return
    if (!this.isGrpc) {
      this.isOver = true
      this.to.close(constants.NGHTTP2_INTERNAL_ERROR)
      return
    }
    this.trailers = trailersOf(status)
    this.hasData = false
    this.finish()
  }

  /** Whether the caller has left. A stream that it has reset is not destroyed until its request was read. */
  private get isGone(): boolean {
    return this.to.closed || this.to.destroyed
  }

  private begin(joined: IncomingHttpHeaders, flags: number, raw: RawHeaders): void {
    if (this.isGone) return
    this.events.begun()
    try {
      this.respond(relayed(raw, joined), joined, flags)
    } catch (thrown) {
      this.events.refused(`its reply cannot be passed on: ${(thrown as Error).message}`)
    }
  }

  private respond(headers: OutgoingHttpHeaders, joined: IncomingHttpHeaders, flags: number): void {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.to.once('finish', () => endReading(this.to))
      this.to.respond(headers, WHOLE_REPLY)
      this.isOver = true
      this.events.passed(codeOf(headers))
      return
    }
    // A server that does not speak gRPC sends no trailers.
    this.isGrpc = String(joined['content-type'] ?? '').startsWith('application/grpc')
    this.to.respond(headers, this.isGrpc ? REPLY_WITH_TRAILERS : {})
    this.to.once('wantTrailers', () => this.sendTrailers(this.trailers ?? {}))
    this.pass()
  }

  private pass(): void {
    const { from, to } = this
    from.on('data', (chunk: Buffer) => {
      // Data may still come after `fail`, which has ended the reply.
      if (!this.isGone && !this.isOver && !to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.once('end', () => {
      // A reply that was reset ends too; without trailers, only its error code distinguishes it from a complete one.
      if (!this.isGrpc && from.rstCode !== constants.NGHTTP2_NO_ERROR) return
      this.hasData = false
      this.finish()
    })
  }

  private finish(): void {
    const isReady = !this.hasData && (this.trailers !== null || !this.isGrpc)
    if (this.isOver || !isReady || this.isGone) return
    this.isOver = true
    this.to.once('finish', () => endReading(this.to))
    this.to.end()
    if (!this.isGrpc) this.events.passed(status.UNKNOWN)
  }

  /** Node throws for trailers that HTTP/2 forbids; only this call fails. */
  private sendTrailers(trailers: OutgoingHttpHeaders): void {
    if (this.isGone) return
    try {
      this.to.sendTrailers(trailers)
      this.events.passed(codeOf(trailers))
    } catch (thrown) {
      const details = `its trailers cannot be passed on: ${(thrown as Error).message}`
      this.to.sendTrailers(trailersOf({ code: status.INTERNAL, details }))
      this.events.passed(status.INTERNAL)
    }
  }
}

/** The status code of trailers. A number that is not a gRPC code becomes UNKNOWN, because metrics have a series per code. */
function codeOf({ 'grpc-status': text }: OutgoingHttpHeaders): status {
  const code = Number(text ?? Number.NaN)
  return Number.isInteger(code) && code >= status.OK && code <= status.UNAUTHENTICATED ? code : status.UNKNOWN
}
