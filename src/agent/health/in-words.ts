import { connectionProblem } from '../../grpc/connection-problem.js'

/** Why a connection could not be made, as a clause for people. */
export function inWords({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  if (code === 'ENOENT') return 'no such socket'
  return code === 'ENOTFOUND' ? 'unknown host' : connectionProblem(message.trim())
}
