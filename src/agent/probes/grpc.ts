import type { Probe } from './probe.js'

/**
 * Asks by grpc.health.v1. Only SERVING is healthy: whoever asks for this probe wants to hear it said.
 *
 * @param service empty for the server as a whole
 */
export function grpcProbe(addr: string, service: string): Probe {
  return async (deadlineMs) => {
    const { checkHealth } = await import('../../grpc/health/check.js')
    const { status, problem } = await checkHealth(addr, { service, deadlineMs })
    if (status === 'SERVING') return { isHealthy: true, said: 'SERVING' }
    const said = status === 'UNIMPLEMENTED' ? 'has no grpc.health.v1 (try --probe tcp)' : problem
    return { isHealthy: false, said: said ?? 'UNKNOWN' }
  }
}
