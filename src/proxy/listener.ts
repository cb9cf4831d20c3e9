import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { Server, type Socket } from 'node:net'
import type { ListenAddress } from '../domain/address.js'
import { listen } from '../net/listen.js'
import { CallerSession } from './caller-session.js'
import type { RawHeaders } from './headers.js'

/** The limits of one connection of a caller. */
const LIMITS = {
  settings: { maxConcurrentStreams: 1_000, maxHeaderListSize: 64 * 2 ** 10 },
  maxHeaderListPairs: 256,
  /** In megabytes. */
  maxSessionMemory: 64,
}

/** How long a TLS handshake may take. */
const TLS_HANDSHAKE_MS = 10_000

/** Idle time after which TCP sends keep-alive probes to a caller. */
const KEEPALIVE_MS = 30_000

/** Maximum number of connections of callers. */
const MAX_CONNECTIONS = 10_000

/** Time for the last frames of a connection that is being closed, before its socket is destroyed. */
const LAST_FRAMES_MS = 250

export interface ListenerSettings extends ListenAddress {
  /** Null for plaintext. */
  readonly tls: SecureServerOptions | null
  /** Returns the age at which a new connection drains; null if it has no maximum age. */
  readonly connectionAgeMs: () => number | null
}

export type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: RawHeaders,
) => void

/** The HTTP/2 server of the proxy. */
export class Listener {
  private readonly sessions = new Set<CallerSession>()
  /** All sockets, including those without a session yet, or with a caller that does not read. */
  private readonly sockets = new Set<Socket>()
  private isDraining = false
  /** The bound `host:port`, also after the listener has closed. */
  address = ''

  private constructor(
    private readonly server: Http2Server | Http2SecureServer,
    settings: ListenerSettings,
    onStream: OnStream,
  ) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.setKeepAlive(true, KEEPALIVE_MS)
      socket.once('close', () => this.sockets.delete(socket))
    })
    server.on('session', (session: ServerHttp2Session) => {
      const caller = new CallerSession(session, settings.connectionAgeMs())
      this.sessions.add(caller)
      session.once('close', () => this.sessions.delete(caller))
      // The drain began during the TLS handshake of this connection.
      if (this.isDraining) caller.drain()
    })
    server.on('stream', onStream as Parameters<Http2Server['on']>[1])
  }

  /** @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there */
  static async start(settings: ListenerSettings, onStream: OnStream): Promise<Listener> {
    const { tls } = settings
    const server = tls
      ? createSecureServer({ ...LIMITS, handshakeTimeout: TLS_HANDSHAKE_MS, ...tls })
      : createServer(LIMITS)
    server.maxConnections = MAX_CONNECTIONS
    const listener = new Listener(server, settings, onStream)
    listener.address = await listen(server, settings, 'The proxy')
    return listener
  }

  /** Uses another certificate for new connections. */
  renew(tls: SecureServerOptions): void {
    if ('setSecureContext' in this.server) this.server.setSecureContext(tls)
  }

  /** Connections of callers. */
  get connections(): number {
    return this.sessions.size
  }

  /** Accepts no more connections, and ends each when its calls have ended. Resolves when all are closed. */
  async drain(): Promise<void> {
    this.isDraining = true
    // The HTTP/2 server's own `close` also closes the sessions from Node 24 on, with a GOAWAY that makes late streams fail.
    const closed = new Promise<void>((resolve) => Server.prototype.close.call(this.server, () => resolve()))
    for (const session of this.sessions) session.drain()
    await closed
  }

  /**
   * Closes each connection when its streams have ended, and destroys those that remain after {@link LAST_FRAMES_MS}. gRPC
   * callers report a lost connection as UNAVAILABLE.
   */
  cut(): void {
    for (const session of this.sessions) session.close()
    const destroy = () => {
      for (const socket of this.sockets) socket.destroy()
    }
    setTimeout(destroy, LAST_FRAMES_MS).unref()
  }
}
