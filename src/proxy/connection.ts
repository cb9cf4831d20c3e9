import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import { connectionProblem, NO_ANSWER } from '../grpc/connection-problem.js'
import { CONNECTION_CLAUSES } from '../net/connection-problem.js'
import { sessionEnd, watchSession } from '../net/session-end.js'

/** Time within which a server must send its SETTINGS, as in gRPC. */
const CONNECT_MS = 20_000

/**
 * Node refuses new streams on a session that uses more memory. This is high, because the listener's limits already bound
 * how much memory callers can use.
 */
const MAX_SESSION_MEGABYTES = 1_024

/** A connection has 2^30 stream ids for its requests. Before they run out, another connection takes its place. */
const MAX_STREAMS = 2 ** 30 - 1_000

export interface ConnectionEvents {
  /** The peer's SETTINGS have arrived: a port that accepts is not enough. */
  ready(connection: Connection): void
  /** A stream ended, so that another one may be started. */
  freed(connection: Connection): void
  /** The connection accepts no further streams. After a GOAWAY, open streams continue. */
  ended(connection: Connection, reason: string): void
}

/** One HTTP/2 connection to a backend. */
export class Connection {
  isReady = false
  isEnded = false
  /** Set when this side closes the connection: it is idle, or its endpoint was removed. */
  isClosing = false
  /** Number of open streams. */
  streams = 0
  /** When the connection was started, on the clock of `performance.now()`. */
  readonly startedMs = performance.now()
  private readonly session: ClientHttp2Session
  private readonly timer: NodeJS.Timeout
  private started = 0
  private lastStreamId = Number.POSITIVE_INFINITY
  private failure: Error | 'no-answer' | null = null

  constructor(
    private readonly socket: Duplex,
    private readonly events: ConnectionEvents,
  ) {
    // The URL has no effect: each request has its own authority and scheme.
    this.session = connect('http://backend', {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MEGABYTES,
      settings: { enablePush: false },
    })
    watchSession(this.session)
    this.timer = setTimeout(() => this.giveUp(), CONNECT_MS)
    this.session
      .once('remoteSettings', () => this.becomeReady())
      .on('goaway', (_code, lastStreamId: number) => {
        this.lastStreamId = lastStreamId
        this.end()
      })
      .on('stream', (pushed: ClientHttp2Stream) => {
        // gRPC has no server push. The listener only keeps a failure of a pushed stream from being unhandled.
        pushed.on('error', () => undefined)
        pushed.close(constants.NGHTTP2_CANCEL)
      })
      .on('error', (error) => {
        this.failure = error
      })
      .once('close', () => this.end())
  }

  get hasRoom(): boolean {
    const most = this.session.remoteSettings?.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    return this.isReady && !this.isEnded && !this.session.closed && this.streams < most
  }

  /** Whether the session was destroyed, so that all of its streams have failed. */
  get isLost(): boolean {
    return this.session.destroyed
  }

  /** A clause: why the connection ended. */
  get reason(): string {
    if (this.isReady) return sessionEnd(this.session)
    if (this.failure === 'no-answer') return NO_ANSWER
    if (this.failure === null) return CONNECTION_CLAUSES.dropped
    // If several addresses of a name failed, Node gives an error with a code and no message.
    const { message, code = '' }: NodeJS.ErrnoException = this.failure
    return connectionProblem(message || code)
  }

  /** Starts a stream. Returns null, and sends nothing, if the session accepts no more streams. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream | null {
    if (this.session.closed || this.session.destroyed) return null
    const stream = this.session.request(headers, { endStream: false })
    this.streams++
    if (++this.started === MAX_STREAMS) setImmediate(() => this.retire())
    stream.once('close', () => {
      this.streams--
      this.events.freed(this)
    })
    return stream
  }

  /** Whether the server has certainly not processed a failed stream. */
  hasNotBegun(stream: ClientHttp2Stream): boolean {
    const { id, rstCode } = stream
    return id === undefined || id > this.lastStreamId || rstCode === constants.NGHTTP2_REFUSED_STREAM
  }

  /** Closes the connection when its streams have ended. */
  close(): void {
    this.isClosing = true
    if (this.isReady) this.session.close()
    else this.abandon()
  }

  /** Stops new streams on this connection. Open ones continue. */
  private retire(): void {
    if (!this.session.destroyed) this.session.close()
    this.end()
  }

  /** Destroys session and socket. The session alone would wait for a socket that is still connecting. */
  private abandon(): void {
    this.session.destroy()
    this.socket.destroy()
  }

  private becomeReady(): void {
    clearTimeout(this.timer)
    this.isReady = true
    if (!this.isEnded) this.events.ready(this)
  }

  private giveUp(): void {
    this.failure = 'no-answer'
    this.abandon()
  }

  private end(): void {
    if (this.isEnded) return
    this.isEnded = true
    clearTimeout(this.timer)
    this.events.ended(this, this.reason)
  }
}
