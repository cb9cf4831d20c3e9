import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import { nearestNames } from '../domain/nearest.js'
import type { EndpointList } from './listing.js'
import { summarizeServices } from './summary.js'

/**
 * NOT_FOUND, with what there is instead: in another layout, under another root, or by another name.
 *
 * @param inOthers the service's endpoints in whatever other layout
 */
export function noSuchService(
  service: string,
  reader: Reader,
  all: EndpointList,
  inOthers: readonly Endpoint[],
): DiscoError {
  const names = summarizeServices(all.endpoints).services.map((summary) => summary.service)
  const nearest = nearestNames(service, names)
  const elsewhere = all.endpoints.flatMap(({ rootHint, problem }) =>
    rootHint !== undefined && problem?.includes(`/${service}/`) ? [rootHint] : [],
  )
  const layouts = [...new Set(inOthers.map(({ layout }) => layout))].join(', ')
  const hints = [
    ...(layouts === '' ? [] : [`It is there in ${layouts}, at ${inOthers[0]?.key}: try --layout auto`]),
    ...[...new Set(elsewhere)].slice(0, 3).map((root) => `It may be meant: --root ${root}`),
  ]
  const there = nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}? ${some(names)}` : some(names)
  return new DiscoError(
    'NOT_FOUND',
    `No service "${service}" under ${reader.prefix() || '/'} (rev ${all.revision})`,
    { suggestions: [...hints, there] },
  )
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'The registry is empty'
  const shown = names.slice(0, 5).join(', ')
  return `${names.length === 1 ? '1 service' : `${names.length} services`}: ${shown}${names.length > 5 ? ', …' : ''}`
}
