import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { DiscoError } from '../../domain/errors.js'

/** Limit of a request body. Bodies are read and ignored: no request needs one. */
const MAX_BODY_BYTES = 1_024

/** Refusal of a request, with its HTTP status and reason; the request has no effect. */
export class Refusal extends Error {
  readonly error: DiscoError

  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.error = new DiscoError(status === 404 ? 'NOT_FOUND' : 'USAGE', message)
  }
}

/** The path as sent: nothing is decoded, and `.`, `..` and `//` are not resolved. */
export function pathAndQuery({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?')
  if (at < 0) return { path: url, query: new URLSearchParams() }
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}

/**
 * Whether the request may change the registration. `GET` and `HEAD` count as writes if they have a query, because
 * existing clients write in this way.
 */
export function isWrite({ method = '', url = '' }: IncomingMessage): boolean {
  return !['GET', 'HEAD'].includes(method) || url.includes('?')
}

/**
 * Checks that a request is authorized. If a token is set, the request must carry it. Otherwise all clients that reach
 * the port are accepted, except a browser on this machine that shows a web page of another origin, including a page
 * that uses DNS rebinding. Browsers send the origin of a request (Fetch Metadata, `Origin`, `Referer`); a write must
 * come from our own origin, or from a client that is not a browser. A navigation that no page has started
 * (`Sec-Fetch-Site: none`) may read, but not write.
 *
 * @throws Refusal 401, 403
 */
export function authorize(request: IncomingMessage, token: string | null): void {
  const { headers } = request
  if (token !== null) {
    const [, given] = /^Bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
    if (given !== undefined && isSame(given, token)) return
    throw new Refusal(401, 'A token is needed: Authorization: Bearer …', { 'www-authenticate': 'Bearer' })
  }
  const host = headers.host ?? ''
  const site = headers['sec-fetch-site'] ?? 'same-origin'
  if (site === 'none' && isWrite(request)) {
    throw new Refusal(403, 'A browser may write from a page of this origin only, not from its address bar')
  }
  const isOwnSite = site === 'same-origin' || site === 'none'
  const origins = [headers.origin, headers.referer].filter((from) => from !== undefined)
  if (!isOwnSite || !origins.every((from) => isOrigin(from, host))) {
    throw new Refusal(403, 'Requests from web pages of other origins are refused')
  }
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  if (name !== 'localhost' && isIP(name) === 0) {
    throw new Refusal(403, 'Use an IP address or localhost: other host names need a token')
  }
}

/** Whether an `Origin` or `Referer` has this host and port; false for `null`, which a sandboxed page sends. */
function isOrigin(from: string, host: string): boolean {
  return (
    URL.canParse(from) &&
    URL.canParse(`http://${host}`) &&
    new URL(from).host === new URL(`http://${host}`).host
  )
}

/** Reads the whole body, so that an incomplete or endless request has no effect. @throws Refusal 400, 413 */
export async function readBody(request: IncomingMessage): Promise<void> {
  const tooLarge = () => new Refusal(413, `The body is longer than ${MAX_BODY_BYTES} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length
      if (bytes > MAX_BODY_BYTES) break
    }
  } catch {
    throw new Refusal(400, 'The request was cut short')
  }
  if (bytes > MAX_BODY_BYTES) throw tooLarge()
}

/** Compares in constant time. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}
