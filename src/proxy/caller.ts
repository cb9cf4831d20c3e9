import type { Http2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { KEY_HEADERS } from '../grpc/balancer/picker.js'
import { type CallKeys, NO_KEYS, type Policy } from '../policies/index.js'

/** The policy that chooses by the client's address. In a proxy, the client is the peer of the connection. */
const BY_CALLER = 'source_hash'

/**
 * The keys of a call, from the same headers as in a channel's picker. The headers are removed.
 *
 * @param peer address of the caller, without the port
 */
export function takeKeys(
  policy: Policy,
  received: IncomingHttpHeaders,
  headers: OutgoingHttpHeaders,
  peer: string,
): CallKeys {
  if (policy.reads.length === 0) return NO_KEYS
  const take = (name: string): string | null => {
    const value = received[name]
    delete headers[name]
    return value === undefined ? null : String(value)
  }
  const hashKey = take(KEY_HEADERS.hashKey)
  const isByCaller = policy.name === BY_CALLER && policy.config.key === undefined
  return { hashKey: hashKey ?? (isByCaller ? peer : null), pin: take(KEY_HEADERS.pin) }
}

/** Cached by session: reading a socket's peer is slow, and impossible once the socket is closed. */
const known = new WeakMap<Http2Session, string>()

/** Address of the caller, without its port; empty if the caller has left. */
export function callerAddress(session: Http2Session | undefined): string {
  if (!session) return ''
  const before = known.get(session)
  if (before !== undefined) return before
  const address = session.socket?.remoteAddress ?? ''
  known.set(session, address)
  return address
}
