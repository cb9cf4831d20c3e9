import type { Http2Session } from 'node:http2'

/** By session: to ask a socket for its peer is slow, and in vain once it is closed. */
const known = new WeakMap<Http2Session, string>()

/** Address of the caller, without its port; empty for one that has left. */
export function callerAddress(session: Http2Session | undefined): string {
  if (!session) return ''
  const before = known.get(session)
  if (before !== undefined) return before
  const address = session.socket?.remoteAddress ?? ''
  known.set(session, address)
  return address
}
