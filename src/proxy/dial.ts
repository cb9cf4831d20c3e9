import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import { clientTls } from '../net/client-tls.js'
import type { Pems } from '../net/files.js'

type SocketAddress = RegisteredEndpoint['addresses'][number]

/**
 * Idle time after which TCP sends keep-alive probes. HTTP/2 PINGs are not used, because gRPC servers disconnect clients
 * that send them this often.
 */
const KEEPALIVE_MS = 30_000

/** How backends are dialled. */
export interface Dialer {
  readonly scheme: 'http' | 'https'
  dial(address: SocketAddress): Duplex
  /** Called when a connection ended before it was READY: the certificates in use may be outdated. */
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
 * Dials with TLS.
 *
 * @param pems read at each dial, so that new connections use renewed files
 * @param authority the name that the backends' certificates must have; a port after it is ignored
 */
export function overTls(pems: LivePems, authority: string): Dialer {
  const name = authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return {
    scheme: 'https',
    dial: (address) => {
      const tls = clientTls(pems.latest(), name)
      const socket = connectTls({ ...address, ...tls, ALPNProtocols: ['h2'] })
      return socket.once('connect', () => socket.setKeepAlive(true, KEEPALIVE_MS))
    },
    refused: () => pems.reread(),
  }
}
