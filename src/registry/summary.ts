import type { Endpoint } from '../domain/endpoint.js'

/** One service in a summary of them all. */
export interface ServiceSummary {
  readonly service: string
  readonly layout: string
  readonly versions: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly weight: number
}

/** Services by name. A service of which nothing can be read is none: its keys are someone else's. */
export function summarizeServices(endpoints: readonly Endpoint[]): {
  readonly services: readonly ServiceSummary[]
  readonly foreignKeys: number
} {
  const byService = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const siblings = byService.get(endpoint.service)
    if (siblings) siblings.push(endpoint)
    else byService.set(endpoint.service, [endpoint])
  }
  const readable = [...byService.values()].filter((all) => all.some(({ problem }) => problem === null))
  const services = readable.map(summarize).sort((a, b) => (a.service < b.service ? -1 : 1))
  const listed = services.reduce((sum, service) => sum + service.endpoints.length, 0)
  return { services, foreignKeys: endpoints.length - listed }
}

function summarize(endpoints: readonly Endpoint[]): ServiceSummary {
  const usable = endpoints.filter(({ problem }) => problem === null)
  return {
    service: endpoints[0]?.service ?? '',
    layout: [...new Set(usable.map(({ layout }) => layout))].join(', '),
    versions: [...new Set(usable.map(({ version }) => version))].filter((version) => version !== '').sort(),
    endpoints,
    weight: usable.reduce((sum, { weight }) => sum + weight, 0),
  }
}
