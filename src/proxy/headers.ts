import { type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2'

/** Headers as they were received: each name is followed by its value. */
export type RawHeaders = readonly string[]

/** Headers with a list of the names that must never be indexed. Node's types lack it. */
interface Sensitive {
  [key: symbol]: string[] | undefined
}

/**
 * Converts received headers to headers to forward. Values and repeated names are unchanged.
 *
 * @param joined the same headers as Node parses them: of a name that must not repeat, only the first value
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
  // Headers that were received as never indexed must be forwarded as never indexed (RFC 7541, section 7.1.3).
  const sensitive = (joined as IncomingHttpHeaders & Sensitive)[sensitiveHeaders]
  if (sensitive && sensitive.length > 0) headers[sensitiveHeaders] = sensitive
  return headers
}
