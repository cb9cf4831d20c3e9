import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'

type SocketAddress = RegisteredEndpoint['addresses'][number]

/** How backends are dialled. */
export interface Dialer {
  readonly scheme: 'http' | 'https'
  dial(address: SocketAddress): Duplex
}

export const PLAINTEXT: Dialer = {
  scheme: 'http',
  dial: (address) => connectTcp({ ...address, noDelay: true }),
}
