import type { RequestListener } from 'node:http'
import { json, type Route, serveRoutes } from '../net/admin/routes.js'
import { PROMETHEUS_TYPE } from '../net/prometheus.js'
import { clientsDoc, endpointsDoc } from './documents.js'
import type { XdsMetrics } from './metrics.js'
import type { XdsServer } from './xds-server.js'

export interface XdsAdminOptions {
  readonly server: XdsServer
  readonly metrics: XdsMetrics
  /** Token that requests must carry as `Authorization: Bearer`; null if no token is required. */
  readonly token: string | null
}

/**
 * HTTP handler of a control plane:
 *
 * - `GET /metrics`: metrics for Prometheus
 * - `GET /endpoints`: the endpoints that clients receive
 * - `GET /clients`: the versions that each client has received and accepted
 * - `GET /healthz` and `/readyz`: 503 until all lists are known, then 200, even while the registry is unreachable
 * - `GET /livez`: 200
 */
export function xdsAdmin({ server, metrics, token }: XdsAdminOptions): RequestListener {
  const health: Route = async () => {
    const { problem, outages } = server
    return json(problem === null ? 200 : 503, {
      schema: 'disco.xds-health/v1',
      healthy: problem === null,
      problem,
      registry: outages.size === 0 ? null : outageText(outages),
    })
  }
  const render: Route = async () => ({
    status: 200,
    headers: { 'content-type': PROMETHEUS_TYPE },
    body: metrics.render(server),
  })
  const routes = new Map([
    ['/metrics', { GET: render }],
    ['/endpoints', { GET: async () => json(200, endpointsDoc(server)) }],
    ['/clients', { GET: async () => json(200, clientsDoc(server)) }],
    ['/healthz', { GET: health }],
    ['/readyz', { GET: health }],
    ['/livez', { GET: async () => json(200, { schema: 'disco.xds-life/v1', alive: true }) }],
  ])
  return serveRoutes(routes, { token })
}

function outageText(outages: XdsServer['outages']): string {
  return [...outages]
    .map(([registry, { message }]) => (registry === null ? message : `${registry}: ${message}`))
    .join('; ')
}
