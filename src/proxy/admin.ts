import type { RequestListener } from 'node:http'
import { json, type Route, serveRoutes } from '../net/admin/routes.js'
import { PROMETHEUS_TYPE } from '../net/prometheus.js'
import { endpointsDoc } from './documents.js'
import type { ProxyMetrics } from './metrics.js'
import type { ProxyServer } from './proxy-server.js'

export interface ProxyAdminOptions {
  readonly proxy: ProxyServer
  readonly metrics: ProxyMetrics
  /** Token that requests must carry as `Authorization: Bearer`; null if requests need no token. */
  readonly token: string | null
}

/**
 * HTTP handler of a proxy:
 *
 * - `GET /metrics`: for Prometheus; `GET /endpoints`: each endpoint and its state
 * - `GET /healthz` and `/readyz`: 200 while the proxy accepts calls and knows the endpoints of each target; 503 otherwise
 * - `GET /livez`: 200
 */
export function proxyAdmin({ proxy, metrics, token }: ProxyAdminOptions): RequestListener {
  const health: Route = async () => {
    const problem = proxy.problem
    return json(problem === null ? 200 : 503, {
      schema: 'disco.proxy-health/v1',
      healthy: problem === null,
      problem,
    })
  }
  const routes = new Map([
    [
      '/metrics',
      {
        GET: async () => ({
          status: 200,
          headers: { 'content-type': PROMETHEUS_TYPE },
          body: metrics.render(proxy),
        }),
      },
    ],
    ['/endpoints', { GET: async () => json(200, endpointsDoc(proxy)) }],
    ['/healthz', { GET: health }],
    ['/readyz', { GET: health }],
    ['/livez', { GET: async () => json(200, { schema: 'disco.proxy-life/v1', alive: true }) }],
  ])
  return serveRoutes(routes, { token })
}
