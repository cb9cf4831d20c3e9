import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { DiscoError } from '../../domain/errors.js'
import { parseWeight, type WeightChange } from '../../domain/weight.js'

/** Nothing here is said in a body: what clients send along all the same is read, up to this, and ignored. */
const MOST_BODY_BYTES = 1_024

/** A request that is answered with its status and reason, and has no effect. */
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

/** The path as it was sent: nothing is decoded, nor are `.`, `..` and `//` resolved. */
export function targetOf({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?')
  if (at < 0) return { path: url, query: new URLSearchParams() }
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}

/** Whether the request may change something: `GET` and `HEAD` do with a query, which the articles' clients send. */
export function isWrite({ method = '', url = '' }: IncomingMessage): boolean {
  return !['GET', 'HEAD'].includes(method) || url.includes('?')
}

/**
 * With a token, whoever brings it may ask. Without one, whoever can reach the port: but not a web page of another
 * origin in a browser on this machine, be it through another site's name for it (DNS rebinding). A browser says where
 * a request comes from (Fetch Metadata, `Origin`, `Referer`); a write has to come from our own origin, or from no
 * browser at all. A link that was clicked outside of any page (`Sec-Fetch-Site: none`) may read, not write.
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
  const isOwnSite = site === 'same-origin' || (site === 'none' && !isWrite(request))
  const origins = [headers.origin, headers.referer].filter((from) => from !== undefined)
  if (!isOwnSite || !origins.every((from) => isOrigin(from, host))) {
    throw new Refusal(403, 'Requests from web pages of other origins are refused')
  }
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  if (name !== 'localhost' && isIP(name) === 0) {
    throw new Refusal(403, 'Ask by an IP address, or localhost; other names need a token')
  }
}

/** Whether an `Origin` or `Referer` is of this host and port; `null`, of a sandboxed page, is not. */
function isOrigin(from: string, host: string): boolean {
  return (
    URL.canParse(from) &&
    URL.canParse(`http://${host}`) &&
    new URL(from).host === new URL(`http://${host}`).host
  )
}

/** Waits for the whole request, so that a cut or an endless one has no effect. @throws Refusal 400, 413 */
export async function readBody(request: IncomingMessage): Promise<void> {
  const tooLarge = () => new Refusal(413, `A body of more than ${MOST_BODY_BYTES} bytes is not read`)
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY_BYTES) throw tooLarge()
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length
      if (bytes > MOST_BODY_BYTES) break
    }
  } catch {
    throw new Refusal(400, 'The request was cut short')
  }
  if (bytes > MOST_BODY_BYTES) throw tooLarge()
}

/**
 * What `?weight=` asks for: a number alone, so that asking twice does no harm.
 *
 * @throws Refusal 400; DiscoError USAGE for what is no weight
 */
export function weightQuery(query: URLSearchParams): {
  change: WeightChange
  addr: string | undefined
  force: boolean
} {
  for (const name of query.keys()) {
    if (!['weight', 'addr', 'force'].includes(name)) throw new Refusal(400, `There is no parameter ${name}`)
    if (query.getAll(name).length > 1) throw new Refusal(400, `${name} is given more than once`)
  }
  const weight = query.get('weight')
  if (weight === null) throw new Refusal(400, 'weight is missing: ?weight=5')
  const force = query.get('force') ?? 'false'
  if (force !== 'true' && force !== 'false') throw new Refusal(400, 'force is true or false')
  const change = { kind: 'set', weight: parseWeight(weight) } as const
  return { change, addr: query.get('addr') ?? undefined, force: force === 'true' }
}

/** In a time that tells nothing of the token. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}
