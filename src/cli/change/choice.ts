import type { Endpoint } from '../../domain/endpoint.js'
import { chosenOf, formatFilter, refuseUnknownNames, requireChosen } from '../../domain/endpoint-filter.js'
import type { Registry } from '../../registry/registry.js'
import type { EndpointSelection } from '../../registry/selection.js'
import type { Scope } from '../flags/target.js'
import { count } from '../terminal/units.js'

/** Endpoints of one service to be changed. */
export interface Choice {
  readonly selection: EndpointSelection
  /** The list before the change; null for one address, which the change itself looks up. */
  readonly endpoints: readonly Endpoint[] | null
  /** Whether no other endpoint of the service can be dialled. */
  readonly isWhole: boolean
}

/**
 * The endpoints to be changed, by service.
 *
 * @param version of `--version`
 * @throws DiscoError NOT_FOUND if a selector, or one of several addresses, selects nothing; USAGE if
 * a condition has a name that no endpoint has, and holds for that reason
 */
export async function choicesOf(
  registry: Registry,
  { service, filter }: Scope<string | undefined>,
  version: string | undefined,
): Promise<Choice[]> {
  const [addr] = filter.addrs
  if (service !== undefined && addr !== undefined && filter.addrs.length === 1) {
    const selection = { service, addr, version, filter: { ...filter, addrs: [] } }
    return [{ selection, endpoints: null, isWhole: false }]
  }
  const ofVersion = version === undefined ? [] : [{ op: '=' as const, name: 'version', value: version }]
  const whole = { ...filter, select: [...filter.select, ...ofVersion] }
  const choice = (name: string, all: readonly Endpoint[]): Choice => {
    const endpoints = chosenOf(whole, all)
    const others = all.filter((endpoint) => endpoint.problem === null && !endpoints.includes(endpoint))
    return {
      selection: { service: name, addr: null, filter: whole },
      endpoints,
      isWhole: others.length === 0,
    }
  }
  if (service !== undefined) {
    const { endpoints } = await registry.listExisting(service)
    refuseUnknownNames(whole, endpoints)
    requireChosen(whole, endpoints, service)
    return [choice(service, endpoints)]
  }
  const { summarizeServices } = await import('../../registry/service-summary.js')
  const { services } = summarizeServices((await registry.list()).endpoints)
  const everywhere = services.flatMap(({ endpoints }) => endpoints)
  refuseUnknownNames(whole, everywhere)
  requireChosen(whole, everywhere, undefined)
  const choices = services.map((summary) => choice(summary.service, summary.endpoints))
  return choices.filter(({ endpoints }) => endpoints !== null && endpoints.length > 0)
}

/** Whether a change needs a confirmation: of more than one endpoint, or of all of a service. */
export function isAskedAbout(choices: readonly Choice[]): boolean {
  const chosen = choices.flatMap(({ endpoints }) => endpoints ?? [])
  return chosen.length > 1 || choices.some(({ endpoints, isWhole }) => endpoints !== null && isWhole)
}

/** `3 endpoints of hello (10.0.0.5:1001, 10.0.0.5:1002, …), 1 endpoint of payments (10.0.0.5:2001)`. */
export function formatChoices(choices: readonly Choice[]): string {
  const parts = choices.map(({ selection, endpoints }) => {
    const { service, addr } = selection
    if (endpoints === null)
      return [service, addr, formatFilter(selection.filter ?? NONE)].filter(Boolean).join(' ')
    const shown = endpoints.slice(0, MOST_SHOWN).map((endpoint) => endpoint.addr)
    const more = endpoints.length > shown.length ? [', …'] : []
    return `${count(endpoints.length, 'endpoint')} of ${service} (${shown.join(', ')}${more})`
  })
  return parts.join(', ')
}

const NONE = { select: [], addrs: [], host: null }

/** Maximum number of endpoints of a service in a question. */
const MOST_SHOWN = 5
