import { connect } from 'node:net'
import { readAddress } from '../../domain/address.js'
import { Deadline } from '../../grpc/deadline.js'
import { socketClause } from '../../net/connection-problem.js'

/** Result of one probe. */
export interface Probed {
  readonly isHealthy: boolean
  /** The answer, or why there was none, as a clause for messages. */
  readonly detail: string
  /** Whether the connection was refused: nothing listens at the address. */
  readonly isRefused: boolean
}

/** Probes a server once. Never rejects, and ends within the deadline. */
export type Probe = (deadlineMs: number) => Promise<Probed>

/** Healthy if all probes are; otherwise the result of the first failure. */
export function allOf(probes: readonly Probe[]): Probe {
  return async (deadlineMs) => {
    const all = await Promise.all(probes.map((probe) => probe(deadlineMs)))
    return all.find(({ isHealthy }) => !isHealthy) ?? all[0] ?? healthy('')
  }
}

/**
 * Asks by grpc.health.v1. Only SERVING is healthy; a server without the protocol is not.
 *
 * @param service empty for the server as a whole
 */
export function grpcProbe(addr: string, service: string): Probe {
  return async (deadlineMs) => {
    const { checkHealth } = await import('../../grpc/health/check.js')
    const { status, problem, isRefused } = await checkHealth(addr, { service, deadlineMs })
    if (status === 'SERVING') return healthy('SERVING')
    const detail = status === 'UNIMPLEMENTED' ? 'has no grpc.health.v1 (try --probe tcp)' : problem
    return { isHealthy: false, detail: detail ?? 'UNKNOWN', isRefused }
  }
}

/** Healthy where the port, or the Unix socket, accepts a connection. */
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

/** Healthy where a GET answers 200 to 399. Redirects are not followed, and no body is read. */
export function httpProbe(url: URL): Probe {
  return async (deadlineMs) => {
    using deadline = new Deadline(deadlineMs)
    const { signal } = deadline
    const http = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
    return await new Promise((resolve) => {
      const request = http.request(url, { agent: false, signal, headers: { 'user-agent': 'disco-probe' } })
      request.once('response', (response) => {
        const { statusCode = 0, statusMessage = '' } = response
        // The status is the answer, even if the body is cut off.
        response.on('error', () => undefined).destroy()
        const detail = `HTTP ${statusCode} ${statusMessage}`.trimEnd()
        resolve(statusCode >= 200 && statusCode < 400 ? healthy(detail) : unhealthy(detail))
      })
      request.once('error', (error: NodeJS.ErrnoException) => {
        resolve(signal.aborted ? unhealthy(`no answer in ${deadlineMs} ms`) : unreachable(error))
      })
      request.end()
    })
  }
}

function healthy(detail: string): Probed {
  return { isHealthy: true, detail, isRefused: false }
}

function unhealthy(detail: string): Probed {
  return { isHealthy: false, detail, isRefused: false }
}

function unreachable(error: NodeJS.ErrnoException): Probed {
  return { isHealthy: false, detail: socketClause(error), isRefused: error.code === 'ECONNREFUSED' }
}
