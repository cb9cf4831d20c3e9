import type { Endpoint } from '../../domain/endpoint.js'
import type { HealthChecked } from '../../grpc/health/check.js'

export type { HealthChecked }

/**
 * Number of servers checked at a time: enough that a hundred unresponsive ones do not delay the others, and few
 * enough that all answers are read well within a deadline of a second.
 */
const AT_ONCE = 128

export interface SurveyOptions {
  /** The gRPC service to ask about; the server as a whole unless given. */
  readonly service?: string
  /** Deadline of the check of one server. */
  readonly deadlineMs: number
}

/**
 * Checks the health of every endpoint that can be dialled, once per address. An aborted survey ends at once, with
 * some of the results. Never rejects.
 *
 * @returns results by address
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
