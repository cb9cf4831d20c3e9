import type { RequestListener } from 'node:http'
import { parseWeight, type WeightChange } from '../../domain/weight.js'
import { Refusal } from '../../net/admin/request.js'
import { json, type Route, type Routes, serveRoutes } from '../../net/admin/routes.js'
import { PROMETHEUS_TYPE } from '../../net/prometheus.js'
import type { Registry } from '../../registry/registry.js'
import type { Registrar } from '../registrar/registrar.js'
import { ownHealthDoc, ownLifeDoc, ownWeightChangeDoc, ownWeightDoc, registrationDoc } from './documents.js'
import { Metrics } from './metrics.js'

export interface AdminOptions {
  readonly registry: Registry
  readonly registrar: Registrar
  /** Token that requests must carry as `Authorization: Bearer`; null if requests need no token. */
  readonly token: string | null
  /** How long the weight is 0 before `POST /drain` deregisters. */
  readonly drainMs: number
  /** Path at which the program's own HTTP server mounts the handler, such as `/registration`. Default: the root. */
  readonly path?: string | undefined
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
 * `Accept: text/plain` gets errors, weight changes and health as a line of text. A weight change is answered with the same
 * line as by the Go handler in the seed layout's source documents. Any other request is refused with the reason. Each
 * HTTP/1 connection serves one request.
 */
export function adminHandler(options: AdminOptions): RequestListener {
  const metrics = new Metrics(options.registrar)
  const { token, path } = options
  const answered = (status: number) => metrics.countRequest(status)
  return serveRoutes(routesFor(options, metrics), { token, path, answered })
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

/**
 * Parses `?weight=`: only a plain number, so that the request is idempotent.
 *
 * @throws Refusal 400; DiscoError USAGE for an invalid weight
 */
export function weightQuery(query: URLSearchParams): {
  change: WeightChange
  addr: string | undefined
  force: boolean
} {
  for (const name of query.keys()) {
    if (!['weight', 'addr', 'force'].includes(name)) throw new Refusal(400, `Unknown parameter ${name}`)
    if (query.getAll(name).length > 1) throw new Refusal(400, `${name} is given more than once`)
  }
  const weight = query.get('weight')
  if (weight === null) throw new Refusal(400, 'weight is missing: ?weight=5')
  const force = query.get('force') ?? 'false'
  if (force !== 'true' && force !== 'false') throw new Refusal(400, 'force is true or false')
  const change = { kind: 'set', weight: parseWeight(weight) } as const
  return { change, addr: query.get('addr') ?? undefined, force: force === 'true' }
}
