import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorDoc } from '../../domain/documents.js'
import { DiscoError, type ErrorCode } from '../../domain/errors.js'
import { authorize, pathAndQuery, Refusal, readBody } from './request.js'

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** The body for a client that accepts plain text; by default `body`. */
  readonly text?: string | undefined
}

export type Route = (query: URLSearchParams) => Promise<Reply>
/** Routes, by path and then by method. */
export type Routes = ReadonlyMap<string, Readonly<Record<string, Route>>>

export interface ServeOptions {
  /** Token that requests must carry as `Authorization: Bearer`; null if no token is required. */
  readonly token: string | null
  /** The common prefix of the routes. Default: the root. */
  readonly path?: string | undefined
  /** Called with the status of each answer. */
  readonly answered?: (status: number) => void
}

const WITHOUT_TOKEN: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/livez'])

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  ETCD_UNREACHABLE: 503,
  ETCD_DENIED: 503,
  OUTCOME_UNKNOWN: 503,
}

/** HTTP handler of routes. Any other request gets an error document. Each HTTP/1 connection gets one answer. */
export function serveRoutes(routes: Routes, options: ServeOptions): RequestListener {
  // Node also emits pipelined requests before it closes the connection after the first one. Over HTTP/2, requests of
  // one connection are independent.
  const seen = new WeakSet<Socket>()
  return (request, response) => {
    const isPipelined = request.httpVersionMajor === 1
    if (isPipelined && seen.has(request.socket)) return
    seen.add(request.socket)
    void answer(request, routes, options).then((reply) => {
      options.answered?.(reply.status)
      send(request, response, wantsText(request) ? inPlainText(reply) : reply)
    })
  }
}

async function answer(
  request: IncomingMessage,
  routes: Routes,
  { token, path: base = '' }: ServeOptions,
): Promise<Reply> {
  try {
    const { path: whole, query } = pathAndQuery(request)
    const path = below(base.replace(/\/+$/, ''), whole)
    // An orchestrator's health checks carry no token.
    if (!WITHOUT_TOKEN.has(path)) authorize(request, token)
    const methods = routes.get(path)
    if (!methods) throw new Refusal(404, `Unknown path ${whole}`)
    const { method = '' } = request
    const route = new Map(Object.entries(methods)).get(method === 'HEAD' ? 'GET' : method)
    const allow = Object.keys(methods).join(', ')
    if (!route) throw new Refusal(405, `${whole} accepts ${allow}`, { allow })
    await readBody(request)
    return await route(query)
  } catch (thrown) {
    const { headers } = thrown instanceof Refusal ? thrown : {}
    const error = thrown instanceof Refusal ? thrown.error : DiscoError.from(thrown)
    const status = thrown instanceof Refusal ? thrown.status : (STATUS_OF[error.code] ?? 500)
    return json(status, errorDoc(error), { headers, text: error.message })
  }
}

/** The path relative to the base; empty if it is not below the base. No route has an empty path. */
function below(base: string, path: string): string {
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : ''
}

/** An answer in JSON. @param text the answer for a client that accepts plain text */
export function json(
  status: number,
  document: object,
  { headers = {}, text }: { headers?: Readonly<Record<string, string>> | undefined; text?: string } = {},
): Reply {
  const body = `${JSON.stringify(document)}\n`
  return { status, headers: { 'content-type': 'application/json', ...headers }, body, text }
}

/** Whether the client accepts plain text and does not name JSON. */
function wantsText({ headers: { accept = '' } }: IncomingMessage): boolean {
  return accept.includes('text/plain') && !accept.includes('application/json')
}

function inPlainText(reply: Reply): Reply {
  if (reply.text === undefined) return reply
  const headers = { ...reply.headers, 'content-type': 'text/plain; charset=utf-8' }
  return { ...reply, headers, body: `${reply.text}\n` }
}

/** Sends the answer and closes the connection, so that idle clients do not keep connections open. */
function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? '' : body)
}
