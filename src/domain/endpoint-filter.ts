import { readAddress } from './address.js'
import type { Endpoint } from './endpoint.js'
import { DiscoError } from './errors.js'
import { shownKey } from './key-text.js'
import { didYouMean } from './nearest.js'
import {
  ATTRIBUTES,
  attributeOf,
  formatSelector,
  hasAttribute,
  type Requirement,
  type Selector,
  selects,
} from './selector.js'

/** Selects the endpoints of a command: those that meet all three parts. An empty or null part excludes no endpoint. */
export interface EndpointFilter {
  readonly select: Selector
  /** Addresses or keys: the endpoint has one of these. */
  readonly addrs: readonly string[]
  /** The host of the endpoint's address, without a port; null for any host. */
  readonly host: string | null
}

export const ALL_ENDPOINTS: EndpointFilter = { select: [], addrs: [], host: null }

/** Whether a filter excludes nothing. */
export function isUnfiltered({ select, addrs, host }: EndpointFilter): boolean {
  return select.length === 0 && addrs.length === 0 && host === null
}

export function isChosen({ select, addrs, host }: EndpointFilter, endpoint: Endpoint): boolean {
  if (addrs.length > 0 && !addrs.some((name) => isNamed(endpoint, name))) return false
  if (host !== null && hostOf(endpoint.addr) !== hostName(host)) return false
  return selects(select, endpoint)
}

export function chosenOf(filter: EndpointFilter, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return isUnfiltered(filter) ? endpoints : endpoints.filter((endpoint) => isChosen(filter, endpoint))
}

/** Whether a name is the endpoint's address, or its key, raw or escaped. */
export function isNamed({ addr, key }: Pick<Endpoint, 'addr' | 'key'>, name: string): boolean {
  return addr === name || key === name || shownKey(key) === name
}

/** The filter in the form of a command line: `1.2.3.4:1001 -l zone=b --host 1.2.3.4`; empty for all endpoints. */
export function formatFilter({ select, addrs, host }: EndpointFilter): string {
  return [
    ...addrs,
    ...(select.length === 0 ? [] : [`-l ${formatSelector(select)}`]),
    ...(host === null ? [] : [`--host ${host}`]),
  ].join(' ')
}

/** Maximum number of values per name in a hint. */
const MAX_VALUES = 5

/**
 * The selected endpoints, at least one.
 *
 * @param service the service for messages; undefined for all services
 * @throws DiscoError NOT_FOUND if no endpoint is selected, or if one of the addresses belongs to no endpoint. It suggests
 *   the values that endpoints have.
 */
export function requireChosen(
  filter: EndpointFilter,
  endpoints: readonly Endpoint[],
  service: string | undefined,
): readonly Endpoint[] {
  const chosen = chosenOf(filter, endpoints)
  const absent = filter.addrs.find((name) => !endpoints.some((endpoint) => isNamed(endpoint, name)))
  if (chosen.length > 0 && absent === undefined) return chosen
  const whose = service === undefined ? 'any service' : service
  const message =
    absent === undefined
      ? `No endpoint of ${whose} is selected by ${formatFilter(filter)}`
      : `No endpoint of ${whose} is ${absent}`
  throw new DiscoError('NOT_FOUND', message, { suggestions: filterHints(filter, endpoints) })
}

/**
 * Refuses a condition on a metadata name that no endpoint has, if endpoints without the name meet the condition. With a
 * mistyped name, as in `zonee!=b`, the condition would select every endpoint.
 *
 * @throws DiscoError USAGE, which suggests the nearest names
 */
export function refuseUnknownNames({ select }: EndpointFilter, endpoints: readonly Endpoint[]): void {
  for (const one of select) {
    if (!isMetByAbsence(one)) continue
    if (endpoints.some((endpoint) => hasAttribute(endpoint, one.name))) continue
    const known = endpoints.flatMap(({ metadata }) => Object.keys(metadata))
    throw new DiscoError('USAGE', `No endpoint has metadata named ${one.name}`, {
      suggestions: [
        ...didYouMean(one.name, [...known, ...ATTRIBUTES]),
        `Here, ${formatSelector([one])} would select every endpoint`,
      ],
    })
  }
}

/** Whether an endpoint without the name meets the condition. */
function isMetByAbsence(one: Requirement): boolean {
  if (one.op === '!=') return one.value !== ''
  if (one.op === 'notin') return !one.values.includes('')
  if (one.op === '=') return one.value === ''
  return one.op === 'in' && one.values.includes('')
}

/** Suggestions for a filter that selects no endpoint: for each name in it, a line with the values of the endpoints. */
function filterHints({ select, addrs, host }: EndpointFilter, service: readonly Endpoint[]): string[] {
  const names = [...new Set(select.map(({ name }) => name))]
  const attributes = names.map((name) => ({
    name,
    read: (endpoint: Endpoint) => attributeOf(endpoint, name),
  }))
  const addressValues = [
    ...(host === null ? [] : [{ name: 'host', read: ({ addr }: Endpoint) => hostOf(addr) }]),
    ...(addrs.length === 0 ? [] : [{ name: 'address', read: ({ addr }: Endpoint) => addr }]),
  ]
  return [...attributes, ...addressValues].map(
    ({ name, read }) => `${name}: ${listed([...new Set(service.map(read))].sort())}`,
  )
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, MAX_VALUES).map((value) => value || '(none)')
  return [...shown, ...(values.length > MAX_VALUES ? ['…'] : [])].join(', ')
}

/** The host of an address with or without a port; empty for a Unix socket and for an invalid address. */
function hostOf(addr: string): string {
  const whole = readAddress(addr)
  const address = 'problem' in whole ? readAddress(`${addr}:1`) : whole
  return 'problem' in address || address.kind !== 'tcp' ? '' : hostName(address.host)
}

/** A host in a form that can be compared: in lower case, and an IPv6 address without brackets. */
function hostName(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}
