import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { AUTO, type Reader } from '../domain/layouts/reader.js'
import { markLookAlikes } from '../domain/look-alike.js'
import { nearestNames } from '../domain/nearest.js'
import type { EndpointList } from './listing.js'
import { summarizeServices } from './service-summary.js'

interface Search {
  readonly service: string
  readonly reader: Reader
  /** The empty result of the search. */
  readonly listing: EndpointList
}

/** Lists for the suggestions; null if etcd forbids them. */
interface Alternatives {
  readonly all: EndpointList | null
  /** The service, in any layout. */
  readonly inOthers: EndpointList | null
}

/** NOT_FOUND, with suggestions: the service in another layout, under another root, or a similar name. */
export function noSuchService(
  { service, reader, listing }: Search,
  { all, inOthers }: Alternatives,
): DiscoError {
  const names = summarizeServices(all?.endpoints ?? []).services.map((summary) => summary.service)
  const shown = markLookAlikes([service, ...names])
  const { layout, root } = reader
  // With a single layout, the message names the keys that were searched: the service may be in another layout.
  const where =
    layout === AUTO
      ? ` under ${reader.prefix() || '/'}`
      : `: searched in layout ${layout}, root ${root || 'none'}, prefix ${reader.prefix(service) || 'none'}`
  const message = `No service "${shown(service)}"${where} (rev ${listing.revision})`
  const places = [...elsewhere(inOthers?.endpoints ?? []), ...rootsFor(service, all?.endpoints ?? [])]
  const suggestions = places.length > 0 || !all ? places : [byName(service, names, shown, reader)]
  return new DiscoError('NOT_FOUND', message, { suggestions })
}

function elsewhere(endpoints: readonly Endpoint[]): string[] {
  const [first] = endpoints
  if (!first) return []
  const layouts = [...new Set(endpoints.map(({ layout }) => layout))]
  const remedies = layouts.map((layout) => `?layout=${layout}`).join(' or ')
  return [
    `It is registered in ${layouts.join(', ')}, at ${first.key}: add ${remedies} to the target, or --layout ${layouts[0]}`,
  ]
}

function rootsFor(service: string, all: readonly Endpoint[]): string[] {
  const roots = all.flatMap(({ problem }) =>
    problem?.kind === 'misplaced' && problem.belongsAt.includes(`/${service}/`) ? [problem.rootHint] : [],
  )
  return [...new Set(roots)]
    .filter((root) => root !== null)
    .slice(0, 3)
    .map((root) => `It may be under another root: --root ${root}`)
}

/** @param shown prints a name so that look-alikes differ */
function byName(
  service: string,
  names: readonly string[],
  shown: (name: string) => string,
  reader: Reader,
): string {
  const nearest = nearestNames(service, names).map(shown)
  const hint = nearest.length > 0 ? [`Did you mean ${nearest.join(' or ')}?`] : []
  return [...hint, availableServices(names.map(shown), reader)].join(' ')
}

/** A reader of one layout has not seen the others, so it must not report that the registry is empty. */
function availableServices(names: readonly string[], { layout, root }: Reader): string {
  if (names.length === 0) {
    const where = root === '' ? '' : ` under ${root}`
    return layout === AUTO
      ? `There are no registrations${where}`
      : `There are no registrations of layout ${layout}${where}: try --layout auto`
  }
  const shown = names.slice(0, 5).join(', ')
  return `${names.length === 1 ? '1 service' : `${names.length} services`}: ${shown}${names.length > 5 ? ', …' : ''}`
}
