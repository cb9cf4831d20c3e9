import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import type { Pems } from '../net/files.js'

type SocketAddress = RegisteredEndpoint['addresses'][number]

/**
 * After how long without traffic TCP asks whether the peer is still there. gRPC servers disconnect clients that send
 * PING that often.
 */
const KEEPALIVE_MS = 30_000

/** How backends are dialled. */
export interface Dialer {
  readonly scheme: 'http' | 'https'
  dial(address: SocketAddress): Duplex
  /** A connection ended before it was READY: certificates may have been renewed in the meantime. */
  refused?(): void
}

/** Certificate files that change. */
export interface LivePems {
  /** The last contents; null for the system's CAs. */
  latest(): Pems | null
  /** Reads them again, for later connections. */
  reread(): void
}

export const PLAINTEXT: Dialer = {
  scheme: 'http',
  dial: (address) =>
    connectTcp({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }),
}

/**
 * Dials by TLS.
 *
 * @param pems called at each dial, so that renewed files are used for new connections
 * @param authority the name that the backends' certificates must have; a port after it is ignored
 */
export function overTls(pems: LivePems, authority: string): Dialer {
  const name = nameOptions(authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
  return {
    scheme: 'https',
    dial: (address) => {
      const { ca, cert, key } = pems.latest() ?? {}
      const files = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
      const socket = connectTls({ ...address, ...files, ...name, ALPNProtocols: ['h2'] })
      return socket.once('connect', () => socket.setKeepAlive(true, KEEPALIVE_MS))
    },
    refused: () => pems.reread(),
  }
}

/** SNI must not contain an IP address (RFC 6066, 3): it is only compared with the certificate. */
function nameOptions(name: string): ConnectionOptions {
  if (isIP(name) === 0) return { servername: name }
  return { checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate) }
}
