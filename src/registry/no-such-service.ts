import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import { nearestNames } from '../domain/nearest.js'
import type { EndpointList } from './listing.js'
import { summarizeServices } from './summary.js'

interface Sought {
  readonly service: string
  readonly reader: Reader
  /** What was found: nothing, at a revision. */
  readonly listing: EndpointList
}

/** What may be said instead; null where etcd did not tell. */
interface Instead {
  readonly all: EndpointList | null
  /** The service, in whatever layout. */
  readonly inOthers: EndpointList | null
}

/** NOT_FOUND, with what there is instead: in another layout, under another root, or by another name. */
export function noSuchService({ service, reader, listing }: Sought, { all, inOthers }: Instead): DiscoError {
  const message = `No service "${service}" under ${reader.prefix() || '/'} (rev ${listing.revision})`
  const suggestions = [
    ...elsewhere(inOthers?.endpoints ?? []),
    ...rootsFor(service, all?.endpoints ?? []),
    ...(all ? [byName(service, all)] : []),
  ]
  return new DiscoError('NOT_FOUND', message, { suggestions })
}

function elsewhere(endpoints: readonly Endpoint[]): string[] {
  const [first] = endpoints
  if (!first) return []
  const layouts = [...new Set(endpoints.map(({ layout }) => layout))]
  return [`It is there in ${layouts.join(', ')}, at ${first.key}: try --layout auto`]
}

function rootsFor(service: string, all: readonly Endpoint[]): string[] {
  const roots = all.flatMap(({ rootHint, problem }) =>
    rootHint !== undefined && problem?.includes(`/${service}/`) ? [rootHint] : [],
  )
  return [...new Set(roots)].slice(0, 3).map((root) => `It may be meant: --root ${root}`)
}

function byName(service: string, { endpoints }: EndpointList): string {
  const names = summarizeServices(endpoints).services.map((summary) => summary.service)
  const nearest = nearestNames(service, names)
  return nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}? ${some(names)}` : some(names)
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'The registry is empty'
  const shown = names.slice(0, 5).join(', ')
  return `${names.length === 1 ? '1 service' : `${names.length} services`}: ${shown}${names.length > 5 ? ', …' : ''}`
}
