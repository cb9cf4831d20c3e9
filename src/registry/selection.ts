import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { shownKey } from '../domain/key-text.js'

/** Selects endpoints of a service for a command. */
export interface EndpointSelection {
  readonly service: string
  /** An address or an etcd key, also as `shownKey` shows it; null for all endpoints. */
  readonly addr: string | null
  readonly version?: string | undefined
  /** Restricts the selection to these etcd keys. */
  readonly keys?: readonly string[]
}

/** Endpoints that match; an address under several keys matches each. */
export function matchEndpoints(
  endpoints: readonly Endpoint[],
  { addr, version, keys }: EndpointSelection,
): Endpoint[] {
  return endpoints.filter(
    (endpoint) =>
      (addr === null || endpoint.addr === addr || endpoint.key === addr || shownKey(endpoint.key) === addr) &&
      (version === undefined || endpoint.version === version) &&
      (keys === undefined || keys.includes(endpoint.key)),
  )
}

/**
 * Endpoints to change: all of them, or those of the one key that matches.
 *
 * @throws DiscoError NOT_FOUND, or CONFLICT when the address stands under several keys.
 */
export function selectEndpoints(endpoints: readonly Endpoint[], selection: EndpointSelection): Endpoint[] {
  const matches = matchEndpoints(endpoints, selection)
  if (matches.length === 0) {
    const which = selection.addr ?? selection.keys?.join(', ')
    const version = selection.version === undefined ? [] : [`of version ${selection.version}`]
    throw new DiscoError(
      'NOT_FOUND',
      [`${selection.service} has no endpoint`, ...(which === undefined ? [] : [which]), ...version].join(' '),
      {
        suggestions: [`It has: ${endpoints.slice(0, 5).map(describe).join(', ')}`],
      },
    )
  }
  if (selection.addr !== null) requireOneKey(matches, selection.addr)
  return matches
}

/** @throws DiscoError CONFLICT */
export function requireOneKey(matches: readonly Endpoint[], addr: string): void {
  const keys = [...new Set(matches.map((endpoint) => endpoint.key))]
  if (keys.length <= 1) return
  throw new DiscoError('CONFLICT', `${addr} is registered under ${keys.length} keys`, {
    suggestions: [...keys, 'Choose one by --version or --layout, or give the key instead of the address'],
  })
}

function describe({ addr, version }: Endpoint): string {
  return version === '' ? addr : `${addr} (${version})`
}
