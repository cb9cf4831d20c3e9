import { type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2'

/** Headers as they were received: names and values in turn. */
export type RawHeaders = readonly string[]

/** Headers with the list of those that must never be indexed, which Node's types leave out. */
interface Sensitive {
  [key: symbol]: string[] | undefined
}

/**
 * Received headers in the form to send on: values and repeated names are unchanged.
 *
 * @param joined the same as Node reads them: it keeps the first value of names that may not repeat
 */
export function relayed(raw: RawHeaders, joined: IncomingHttpHeaders): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders & Sensitive = Object.create(null)
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (Array.isArray(before)) before.push(value)
    else if (joined[name] !== before) headers[name] = [String(before), value]
  }
  // Those that came as never indexed (RFC 7541, 7.1.3) must be sent on as such.
  const sensitive = (joined as IncomingHttpHeaders & Sensitive)[sensitiveHeaders]
  if (sensitive && sensitive.length > 0) headers[sensitiveHeaders] = sensitive
  return headers
}
