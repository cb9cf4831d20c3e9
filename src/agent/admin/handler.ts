import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorDoc } from '../../domain/documents.js'
import { DiscoError, type ErrorCode } from '../../domain/errors.js'
import { PROMETHEUS_TYPE } from '../../net/prometheus.js'
import type { Registry } from '../../registry/registry.js'
import type { Registrar } from '../registrar/registrar.js'
import { ownHealthDoc, ownLifeDoc, ownWeightChangeDoc, ownWeightDoc, registrationDoc } from './documents.js'
import { Metrics } from './metrics.js'
import { authorize, Refusal, readBody, targetOf, weightQuery } from './request.js'

export interface AdminOptions {
  readonly registry: Registry
  readonly registrar: Registrar
  /** Token that requests must carry as `Authorization: Bearer`; null for none. */
  readonly token: string | null
  /** How long the weight is 0 before `POST /drain` deregisters. */
  readonly drainMs: number
  /** Path under which a server of the program's own has the handler, such as `/registration`. Default: the root. */
  readonly path?: string | undefined
}

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** What a client gets that accepts plain text; the body where there is none. */
  readonly text?: string | undefined
}

const WITHOUT_TOKEN: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/livez'])

type Route = (query: URLSearchParams) => Promise<Reply>
type Routes = ReadonlyMap<string, Readonly<Record<string, Route>>>

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  ETCD_UNREACHABLE: 503,
  ETCD_DENIED: 503,
  OUTCOME_UNKNOWN: 503,
}

/**
 * HTTP handler of a registrar, for its own server or an existing one:
 *
 * - `GET /`: the registration in etcd; `GET /weight`; `GET /metrics`
 * - `GET /healthz` and `/readyz`: 200 while the registration exists in etcd, by etcd's last answer; 503 with the
 *   reason otherwise. `GET /livez`: 200 while the registrar runs
 * - `PUT /weight?weight=N`, and `GET` with `?weight=N` on `/` or `/weight`; `&addr=` for one of several addresses,
 *   `&force=true` as on the command line
 * - `POST /drain`: weight 0, a wait, deregister; answers once that is done
 *
 * `Accept: text/plain` gets errors, changes and health as a line of text: that of a change is the one that the Go handler
 * of the seed layout's source documents writes. Any other request is refused with the reason. Each HTTP/1 connection gets one answer.
 */
export function adminHandler(options: AdminOptions): RequestListener {
  const metrics = new Metrics(options.registrar)
  const routes = routesFor(options, metrics)
  // Node passes on pipelined requests before it closes the connection after the first. Over HTTP/2, requests of one
  // connection are independent.
  const answered = new WeakSet<Socket>()
  return (request, response) => {
    const isPipelined = request.httpVersionMajor === 1
    if (isPipelined && answered.has(request.socket)) return
    answered.add(request.socket)
    void answer(request, routes, options).then((reply) => {
      metrics.countRequest(reply.status)
      send(request, response, wantsText(request) ? asText(reply) : reply)
    })
  }
}

function routesFor({ registry, registrar, drainMs }: AdminOptions, metrics: Metrics): Routes {
  const change: Route = async (query) => {
    const { change, ...options } = weightQuery(query)
    const changed = await registrar.setWeight(change, options)
    return json(200, ownWeightChangeDoc(changed), { text: 'update server weight success' })
  }
  const orChange = (read: () => Promise<object>): Route => {
    return async (query) => (query.size === 0 ? json(200, await read()) : await change(query))
  }
  const drain: Route = async () => {
    await registrar.retire({ drainMs })
    return json(200, ownHealthDoc(registrar))
  }
  const health: Route = async () => {
    const doc = ownHealthDoc(registrar)
    return json(doc.healthy ? 200 : 503, doc, { text: doc.healthy ? 'healthy' : (doc.reason ?? 'unhealthy') })
  }
  const life: Route = async () => {
    const doc = ownLifeDoc(registrar)
    return json(doc.alive ? 200 : 503, doc, { text: doc.alive ? 'alive' : 'not alive' })
  }
  const scrape: Route = async () => {
    return { status: 200, headers: { 'content-type': PROMETHEUS_TYPE }, body: metrics.render() }
  }
  return new Map([
    ['/', { GET: orChange(() => registrationDoc(registry, registrar)) }],
    ['/weight', { GET: orChange(() => ownWeightDoc(registry, registrar)), PUT: change }],
    ['/drain', { POST: drain }],
    ['/healthz', { GET: health }],
    ['/readyz', { GET: health }],
    ['/livez', { GET: life }],
    ['/metrics', { GET: scrape }],
  ])
}

async function answer(
  request: IncomingMessage,
  routes: Routes,
  { token, path: base = '' }: AdminOptions,
): Promise<Reply> {
  try {
    const { path: whole, query } = targetOf(request)
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

/** The path below the base; empty, which no route has, where it is not below it. */
function below(base: string, path: string): string {
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : ''
}

/** @param text the same for a client that asks for text */
function json(
  status: number,
  document: object,
  { headers = {}, text }: { headers?: Readonly<Record<string, string>> | undefined; text?: string } = {},
): Reply {
  const body = `${JSON.stringify(document)}\n`
  return { status, headers: { 'content-type': 'application/json', ...headers }, body, text }
}

/** Whether the client names plain text and not JSON. */
function wantsText({ headers: { accept = '' } }: IncomingMessage): boolean {
  return accept.includes('text/plain') && !accept.includes('application/json')
}

function asText(reply: Reply): Reply {
  if (reply.text === undefined) return reply
  const headers = { ...reply.headers, 'content-type': 'text/plain; charset=utf-8' }
  return { ...reply, headers, body: `${reply.text}\n` }
}

/** Closes the connection after the answer, so that idle clients hold none open. */
function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? '' : body)
}
