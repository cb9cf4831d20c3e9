import { connect } from 'node:net'
import { readAddress } from '../../domain/address.js'
import { socketClause } from '../../net/connection-problem.js'
import type { ServerAccess } from './survey.js'

/** Result of one probe. */
export interface Probed {
  readonly isHealthy: boolean
  /** A clause: the server's answer, or why it did not answer. */
  readonly detail: string
  /** Whether the connection was refused: nothing listens at the address. */
  readonly isRefused: boolean
}

/** Probes a server once. Never rejects, and ends within the deadline. */
export type Probe = (deadlineMs: number) => Promise<Probed>

/** Healthy if all probes are healthy; otherwise the result of the first of them that is not. */
export function allOf(probes: readonly Probe[]): Probe {
  return async (deadlineMs) => {
    const all = await Promise.all(probes.map((probe) => probe(deadlineMs)))
    return all.find(({ isHealthy }) => !isHealthy) ?? all[0] ?? healthy('')
  }
}

export interface GrpcProbeSettings extends ServerAccess {
  /** The service that the server is registered for. */
  readonly registeredFor: string
  /** The gRPC service to ask about; empty for the server as a whole. */
  readonly service: string
}

/** Healthy if grpc.health.v1 answers SERVING. A server without grpc.health.v1 is not healthy. */
export function grpcProbe(
  addr: string,
  { registeredFor, service, tls, headers, authority }: GrpcProbeSettings,
): Probe {
  return async (deadlineMs) => {
    const { checkHealth } = await import('../../grpc/health/check.js')
    const server = { addr, service: registeredFor, tls: tls?.current }
    const options = { service, headers, authority, deadlineMs }
    const { status, problem, isRefused, isConnected } = await checkHealth(server, options)
    if (!isConnected) await tls?.renew()
    if (status === 'SERVING') return healthy('SERVING')
    const detail = status === 'UNIMPLEMENTED' ? 'has no grpc.health.v1 (try --probe tcp)' : problem
    return { isHealthy: false, detail: detail ?? 'UNKNOWN', isRefused }
  }
}

/** Healthy if the port, or the Unix socket, accepts a connection. */
export function tcpProbe(addr: string): Probe {
  return (deadlineMs) =>
    new Promise((resolve) => {
      const address = readAddress(addr)
      if ('problem' in address) {
        resolve(unhealthy(`the address ${address.problem}`))
        return
      }
      const where = address.kind === 'unix' ? { path: address.path } : address
      const socket = connect({ ...where, timeout: deadlineMs })
      const finish = (probed: Probed) => {
        socket.destroy()
        resolve(probed)
      }
      socket.once('connect', () => finish(healthy('accepts connections')))
      // After a stall of this process, the timer fires before the event of a connection that was made in time.
      const late = () => finish(unhealthy(`no connection in ${deadlineMs} ms`))
      socket.once('timeout', () => setImmediate(late))
      socket.once('error', (error: NodeJS.ErrnoException) => finish(unreachable(error)))
    })
}

export function healthy(detail: string): Probed {
  return { isHealthy: true, detail, isRefused: false }
}

export function unhealthy(detail: string): Probed {
  return { isHealthy: false, detail, isRefused: false }
}

function unreachable(error: NodeJS.ErrnoException): Probed {
  return { isHealthy: false, detail: socketClause(error), isRefused: error.code === 'ECONNREFUSED' }
}
