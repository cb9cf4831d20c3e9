import { type Endpoint, isReadable } from '../domain/endpoint.js'
import {
  type EndpointFilter,
  formatFilter,
  isChosen,
  isNamed,
  requireChosen,
} from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'

/** Selects endpoints of a service for a command. */
export interface EndpointSelection {
  readonly service: string
  /** An address or an etcd key, also as `shownKey` shows it; null for all endpoints. */
  readonly addr: string | null
  readonly version?: string | undefined
  /** Restricts the selection to these etcd keys. */
  readonly keys?: readonly string[]
  /** Further conditions. Each of its addresses must belong to a single key. */
  readonly filter?: EndpointFilter | undefined
}

/**
 * Whether a selection has only conditions, and does not name endpoints. Keys beside a filter do not name endpoints:
 * they are those that met the filter when they were listed.
 */
export function isBulk({ addr, keys, filter }: EndpointSelection): boolean {
  return addr === null && (filter === undefined ? keys === undefined : filter.addrs.length === 0)
}

/** Endpoints that match; an address under several keys matches each. */
export function matchEndpoints(
  endpoints: readonly Endpoint[],
  { addr, version, keys, filter }: EndpointSelection,
): Endpoint[] {
  const ofKeys = keys && new Set(keys)
  return endpoints.filter(
    (endpoint) =>
      (addr === null || isNamed(endpoint, addr)) &&
      (version === undefined || endpoint.version === version) &&
      (ofKeys === undefined || ofKeys.has(endpoint.key)) &&
      (filter === undefined || isChosen(filter, endpoint)),
  )
}

/**
 * The endpoints to change: all that meet the conditions, or those of the single key that has the address.
 *
 * @throws DiscoError NOT_FOUND, or CONFLICT when several keys have the address.
 */
export function selectEndpoints(endpoints: readonly Endpoint[], selection: EndpointSelection): Endpoint[] {
  const { filter } = selection
  if (filter) requireChosen(filter, endpoints, selection.service)
  const matches = matchEndpoints(endpoints, selection)
  if (matches.length === 0) {
    const which = selection.addr ?? selection.keys?.join(', ') ?? (filter && formatFilter(filter))
    const version = selection.version === undefined ? [] : [`of version ${selection.version}`]
    throw new DiscoError(
      'NOT_FOUND',
      [`${selection.service} has no endpoint`, ...(which === undefined ? [] : [which]), ...version].join(' '),
      {
        suggestions: [`It has: ${endpoints.slice(0, 5).map(describe).join(', ')}`],
      },
    )
  }
  refuseAmbiguous(matches, selection)
  return matches
}

/** The endpoints that a removal deletes, and those that it leaves registered. */
export interface Removal {
  /** All addresses of the keys to be deleted. */
  readonly chosen: readonly Endpoint[]
  /** Unreadable endpoints, which no condition selects, and those of the selection's keys that no longer match. */
  readonly leftOut: readonly Endpoint[]
}

/**
 * Chooses the endpoints that a removal deletes.
 *
 * @throws DiscoError CONFLICT when an address matches several keys
 */
export function chooseRemoval(endpoints: readonly Endpoint[], selection: EndpointSelection): Removal {
  const matches = matchEndpoints(endpoints, selection)
  refuseAmbiguous(matches, selection)
  // The version and the weight of an unreadable value are unknown, so no condition can be checked.
  const chosen = isBulk(selection) ? matches.filter(isReadable) : matches
  const keys = new Set(chosen.map(({ key }) => key))
  const others = new Set([...matches.map(({ key }) => key), ...(selection.keys ?? [])])
  return {
    chosen: endpoints.filter(({ key }) => keys.has(key)),
    leftOut: endpoints.filter(({ key }) => !keys.has(key) && others.has(key)),
  }
}

/** @throws DiscoError CONFLICT if several keys have an address of the selection */
export function refuseAmbiguous(matches: readonly Endpoint[], { addr, filter }: EndpointSelection): void {
  if (addr !== null) requireOneKey(matches, addr)
  for (const name of filter?.addrs ?? []) {
    const named = matches.filter((endpoint) => isNamed(endpoint, name))
    requireOneKey(named, name)
  }
}

/** @throws DiscoError CONFLICT */
function requireOneKey(matches: readonly Endpoint[], addr: string): void {
  const keys = [...new Set(matches.map((endpoint) => endpoint.key))]
  if (keys.length <= 1) return
  throw new DiscoError('CONFLICT', `${addr} is registered under ${keys.length} keys`, {
    suggestions: [...keys, 'Choose one by --version or --layout, or give the key instead of the address'],
  })
}

function describe({ addr, version }: Endpoint): string {
  return version === '' ? addr : `${addr} (${version})`
}
