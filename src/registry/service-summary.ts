import { type Endpoint, isReadable } from '../domain/endpoint.js'

/** One service in the summary of all services. */
export interface ServiceSummary {
  readonly service: string
  /** The layouts of its keys, separated by commas. */
  readonly layout: string
  readonly versions: readonly string[]
  readonly endpoints: readonly Endpoint[]
  /** Sum of the weights of the dialable endpoints. */
  readonly weight: number
}

/** Summarizes services by name. A name without a readable key is not a service: its keys are foreign keys. */
export function summarizeServices(endpoints: readonly Endpoint[]): {
  readonly services: readonly ServiceSummary[]
  /** Number of keys that belong to no service. */
  readonly foreignKeys: number
  /** Roots under which misplaced keys would be registrations, the most frequent first. */
  readonly rootHints: readonly string[]
} {
  const byService = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const siblings = byService.get(endpoint.service)
    if (siblings) siblings.push(endpoint)
    else byService.set(endpoint.service, [endpoint])
  }
  const readable = [...byService.values()].filter((all) => all.some(isReadable))
  const services = readable.map(summarize).sort((a, b) => (a.service < b.service ? -1 : 1))
  const listed = services.reduce((sum, service) => sum + service.endpoints.length, 0)
  const hints = new Map<string, number>()
  for (const { problem } of endpoints) {
    const root = problem?.kind === 'misplaced' ? problem.rootHint : null
    if (root !== null) hints.set(root, (hints.get(root) ?? 0) + 1)
  }
  const rootHints = [...hints].sort(([, a], [, b]) => b - a).map(([root]) => root)
  return { services, foreignKeys: endpoints.length - listed, rootHints }
}

/**
 * Leaves out foreign keys, which belong to no service. Returns the endpoints of a single service unchanged.
 *
 * @param service the service of all endpoints; undefined if they are of all services
 */
export function endpointsOfServices(
  endpoints: readonly Endpoint[],
  service: string | undefined,
): readonly Endpoint[] {
  if (service !== undefined) return endpoints
  return summarizeServices(endpoints).services.flatMap((one) => one.endpoints)
}

function summarize(endpoints: readonly Endpoint[]): ServiceSummary {
  const readable = endpoints.filter(isReadable)
  const usable = readable.filter(({ problem }) => problem === null)
  return {
    service: endpoints[0]?.service ?? '',
    layout: [...new Set(readable.map(({ layout }) => layout))].join(', '),
    versions: [...new Set(readable.map(({ version }) => version))].filter((version) => version !== '').sort(),
    endpoints,
    weight: usable.reduce((sum, { weight }) => sum + weight, 0),
  }
}
