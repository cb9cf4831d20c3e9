import type { Endpoint } from '../../domain/endpoint.js'
import type { HealthChecked } from '../../grpc/health/check.js'

export type { HealthChecked }

/**
 * So many servers are asked at a time: enough for a hundred mute ones not to hold up the rest, and so few that all of
 * their answers are read well within a deadline of a second.
 */
const AT_ONCE = 128

export interface SurveyOptions {
  /** The gRPC service to ask about; the server as a whole unless given. */
  readonly service?: string
  /** How long one server may take. */
  readonly deadlineMs: number
}

/**
 * Asks every endpoint for its health, an address once however many keys it stands under. What cannot be
 * dialled is not asked. An aborted survey is over at once, and worth nothing.
 *
 * @returns by address
 */
export async function surveyHealth(
  endpoints: readonly Endpoint[],
  { service = '', deadlineMs }: SurveyOptions,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, HealthChecked>> {
  const { checkHealth } = await import('../../grpc/health/check.js')
  const found = new Map<string, HealthChecked>()
  const usable = endpoints.filter(({ problem }) => problem === null)
  const queue = [...new Set(usable.map(({ addr }) => addr))].values()
  const worker = async () => {
    for (const addr of queue) {
      if (signal?.aborted) return
      found.set(addr, await checkHealth(addr, { service, deadlineMs, signal }))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return found
}
