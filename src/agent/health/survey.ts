import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import { findLayout } from '../../domain/layouts/index.js'
import type { BackendTls } from '../../grpc/backend-tls.js'
import type { HealthCheckOptions, HealthCheckResult, HealthFault } from '../../grpc/health/check.js'
import type { Renewable } from '../../net/files.js'

export type { HealthCheckResult, HealthFault }

/** Results of a survey. */
export type HealthById = ReadonlyMap<EndpointId, HealthCheckResult>

/**
 * Number of servers checked at a time: enough that a hundred unresponsive ones do not delay the others, and few
 * enough that all answers are read well within a deadline of a second.
 */
const MAX_CONCURRENT = 128

/** How servers are dialled, and the headers of health checks. */
export interface ServerAccess extends Pick<HealthCheckOptions, 'authority' | 'headers'> {
  /** TLS for all endpoints. If undefined, only endpoints whose registration declares TLS use it, with the system's CAs. */
  readonly tls?: Renewable<BackendTls> | undefined
}

export type SurveyOptions = ServerAccess & Pick<HealthCheckOptions, 'service' | 'deadlineMs'>

/** A server, and the endpoints that are registered for it. */
interface Server {
  readonly addr: string
  readonly service: string
  readonly isTls: boolean
  readonly ids: EndpointId[]
}

/**
 * Checks the health of every readable endpoint, once per server. An aborted survey ends at once, with the results so
 * far. Never rejects.
 *
 * @param onProgress called at the start, and after each server
 */
export async function surveyHealth(
  endpoints: readonly Endpoint[],
  { tls, ...options }: SurveyOptions,
  signal?: AbortSignal,
  onProgress: (done: number, servers: number) => void = () => undefined,
): Promise<HealthById> {
  const { checkHealth } = await import('../../grpc/health/check.js')
  const found = new Map<EndpointId, HealthCheckResult>()
  const servers = serversOf(endpoints, tls !== undefined)
  const withSystemCas =
    tls === undefined && servers.some(({ isTls }) => isTls) ? await systemTls() : undefined
  let hasFailed = false
  const queue = servers.values()
  let done = 0
  onProgress(done, servers.length)
  const worker = async () => {
    for (const { addr, service, isTls, ids } of queue) {
      if (signal?.aborted) return
      const server = { addr, service, tls: isTls ? (tls?.current ?? withSystemCas) : undefined }
      const checked = await checkHealth(server, { ...options, signal })
      // The result of an aborted check is not the server's health.
      if (signal?.aborted) return
      hasFailed ||= !checked.isConnected
      for (const id of ids) found.set(id, checked)
      onProgress(++done, servers.length)
    }
  }
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, worker))
  if (hasFailed) await tls?.renew()
  return found
}

/** Groups endpoints by server: endpoints of one service with the same address are one server. */
function serversOf(endpoints: readonly Endpoint[], areTls: boolean): Server[] {
  const servers = new Map<string, Server>()
  for (const endpoint of endpoints) {
    if (endpoint.problem !== null) continue
    const { addr, service } = endpoint
    const isTls = areTls || declaresTls(endpoint)
    const name = `${isTls} ${addr} ${service}`
    const server = servers.get(name)
    if (server) server.ids.push(endpointId(endpoint))
    else servers.set(name, { addr, service, isTls, ids: [endpointId(endpoint)] })
  }
  return [...servers.values()]
}

function declaresTls(endpoint: Endpoint): boolean {
  return findLayout(endpoint.layout)?.hint(endpoint)?.code === 'tls'
}

/** TLS with the CAs of the system. */
async function systemTls(): Promise<BackendTls> {
  const { readBackendTls } = await import('../../grpc/backend-tls.js')
  return await readBackendTls({}, undefined)
}
