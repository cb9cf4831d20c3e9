import type { SecureServerOptions } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { ServerCredentials } from '@grpc/grpc-js'
import type { ListenAddress } from '../domain/address.js'
import { givenPems } from '../net/files.js'
import { listen } from '../net/listen.js'

/** Maximum number of connections at one time. */
const MAX_CONNECTIONS = 10_000

/** Idle time after which TCP probes whether the client is still connected. */
const KEEPALIVE_MS = 30_000

/**
 * Accepts connections for a gRPC server. grpc-js can neither limit the number of connections nor close the connection
 * of a client that does not read.
 */
export class Listener {
  /** Open sockets, by the client's address in the form of `call.getPeer()`. */
  private readonly sockets = new Map<string, Socket>()

  /** The bound `host:port`, also after the listener has closed. */
  address = ''

  private constructor(private readonly server: Server) {}

  /**
   * @param accept called with each connection
   * @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there
   */
  static async start(address: ListenAddress, accept: (socket: Socket) => void): Promise<Listener> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS })
    const listener = new Listener(server)
    server.maxConnections = MAX_CONNECTIONS
    server.on('connection', (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`
      listener.sockets.set(peer, socket)
      // When a connection breaks, its streams end. The error is not needed.
      socket.on('error', () => undefined)
      socket.once('close', () => listener.sockets.delete(peer))
      accept(socket)
    })
    listener.address = await listen(server, address, 'The xDS server')
    return listener
  }

  get connections(): number {
    return this.sockets.size
  }

  /** Closes the connection of one client. */
  cut(peer: string): void {
    this.sockets.get(peer)?.destroy()
  }

  /** Stops accepting connections, and closes all open ones. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const socket of this.sockets.values()) socket.destroy()
    await closed
  }
}

/** Credentials of the listener, whose certificate can be replaced. */
export class ListenerCredentials extends ServerCredentials {
  /** @param tls null for plaintext, which is never replaced */
  constructor(tls: SecureServerOptions | null) {
    if (!tls) super(null)
    else {
      const { requestCert = false, rejectUnauthorized = false, ...files } = tls
      super({ requestCert, rejectUnauthorized }, files)
    }
  }

  /** Uses another certificate for new connections of clients. */
  renew(tls: SecureServerOptions): void {
    this.updateSecureContextOptions(givenPems(tls))
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}
