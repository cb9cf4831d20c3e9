import { type Endpoint, isReadable } from '../../domain/endpoint.js'
import {
  chosenOf,
  type EndpointFilter,
  formatFilter,
  isNamed,
  refuseUnknownNames,
  requireChosen,
} from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import { shownKey } from '../../domain/key-text.js'
import { isWeightless } from '../../domain/layouts/index.js'
import type { Registry } from '../../registry/registry.js'
import type { EndpointSelection } from '../../registry/selection.js'
import type { Scope } from '../flags/target.js'
import { count } from '../terminal/units.js'

/** The endpoints of one service that a command is about to change. */
export interface Choice {
  readonly selection: EndpointSelection
  /** The chosen endpoints before the change; null for a single address, which the change looks up itself. */
  readonly endpoints: readonly Endpoint[] | null
  /** Selected endpoints that a removal leaves out: they cannot be read. */
  readonly leftOut: readonly Endpoint[]
  /** Addresses that no endpoint has; a removal ignores them. */
  readonly absent: readonly string[]
  /** Whether the choice contains all endpoints of the service that clients can dial. */
  readonly isWhole: boolean
}

/**
 * The endpoints to be changed, by service.
 *
 * @param version the value of `--version`
 * @throws DiscoError NOT_FOUND if a selector, or one of several addresses, selects no endpoint; USAGE if a condition
 *   names a field that no endpoint has, and therefore holds for all of them
 */
export async function choicesOf(
  registry: Registry,
  { service, filter }: Scope<string | undefined>,
  version: string | undefined,
  { isRemoval = false }: { readonly isRemoval?: boolean } = {},
): Promise<Choice[]> {
  const [addr] = filter.addrs
  if (addr === undefined) refuseEmptyVersion(version)
  if (service !== undefined && addr !== undefined && filter.addrs.length === 1) {
    const selection = { service, addr, version, filter: { ...filter, addrs: [] } }
    return [{ selection, endpoints: null, leftOut: [], absent: [], isWhole: false }]
  }
  const ofVersion = version === undefined ? [] : [{ op: '=' as const, name: 'version', value: version }]
  const given = { ...filter, select: [...filter.select, ...ofVersion] }
  if (service !== undefined) {
    const isNaming = given.addrs.length > 0
    const { endpoints } =
      isRemoval && isNaming ? await registry.list(service) : await registry.listExisting(service)
    const absent = isRemoval ? given.addrs.filter((name) => !endpoints.some((one) => isNamed(one, name))) : []
    const whole = { ...given, addrs: given.addrs.filter((name) => !absent.includes(name)) }
    if (isNaming && whole.addrs.length === 0) {
      const selection = { service, addr: null, filter: given, keys: [] }
      return [{ selection, endpoints: [], leftOut: [], absent, isWhole: false }]
    }
    refuseUnknownNames(whole, endpoints)
    requireChosen(whole, endpoints, service)
    return requireReadable([{ ...choiceIn(service, endpoints, whole, isRemoval), absent }])
  }
  const { summarizeServices } = await import('../../registry/service-summary.js')
  const { services } = summarizeServices((await registry.list()).endpoints)
  const everywhere = services.flatMap(({ endpoints }) => endpoints)
  refuseUnknownNames(given, everywhere)
  requireChosen(given, everywhere, undefined)
  const choices = services.map((summary) => choiceIn(summary.service, summary.endpoints, given, isRemoval))
  return requireReadable(choices)
}

/**
 * Refuses an empty --version without an address, which usually comes from an unset shell variable. With an address it
 * means the endpoint without a version, as in `disco register`.
 *
 * @throws DiscoError USAGE
 */
export function refuseEmptyVersion(version: string | undefined): void {
  if (version !== '') return
  throw new DiscoError('USAGE', 'Invalid --version "": it is empty', {
    suggestions: [`For endpoints without a version: -l 'version=""'`],
  })
}

/**
 * The selection consists of the keys listed now, which the question shows to the user. Endpoints that match later are
 * not changed. A change of a key changes all its addresses.
 */
function choiceIn(
  service: string,
  all: readonly Endpoint[],
  filter: EndpointFilter,
  isRemoval: boolean,
): Choice {
  const chosen = chosenOf(filter, all)
  const isLeftOut = (endpoint: Endpoint) => isRemoval && filter.addrs.length === 0 && !isReadable(endpoint)
  const keys = new Set(chosen.filter((endpoint) => !isLeftOut(endpoint)).map(({ key }) => key))
  const others = all.filter(({ problem, key }) => problem === null && !keys.has(key))
  return {
    selection: { service, addr: null, filter, keys: [...keys] },
    endpoints: all.filter(({ key }) => keys.has(key)),
    leftOut: chosen.filter(isLeftOut),
    absent: [],
    isWhole: others.length === 0,
  }
}

/** Splits a choice by whether endpoints can carry a weight. Those that cannot can be removed, but not drained. */
export function splitByWeight(choice: Choice): Choice[] {
  const { selection, endpoints } = choice
  if (endpoints === null) return [choice]
  const parts = [false, true].map((weightless) =>
    endpoints.filter(({ layout }) => isWeightless(layout) === weightless),
  )
  return parts
    .filter((part) => part.length > 0)
    .map((part) => ({
      ...choice,
      selection: { ...selection, keys: [...new Set(part.map(({ key }) => key))] },
      endpoints: part,
    }))
}

/** The choices that contain endpoints. @throws DiscoError NOT_FOUND if every selected endpoint is left out */
function requireReadable(choices: readonly Choice[]): Choice[] {
  const leftOut = choices.flatMap((choice) => choice.leftOut)
  const meant = choices.filter(({ endpoints }) => endpoints !== null && endpoints.length > 0)
  const [first, ...rest] = meant
  if (first) return [{ ...first, leftOut }, ...rest.map((choice) => ({ ...choice, leftOut: [] }))]
  throw new DiscoError('NOT_FOUND', 'All selected registrations are unreadable', {
    suggestions: [unreadableText(leftOut)],
  })
}

/** `2 unreadable keys left out: to remove, give the key itself (/hello/a, /hello/b)`. */
export function unreadableText(leftOut: readonly Endpoint[]): string {
  const keys = [...new Set(leftOut.map(({ key }) => shownKey(key)))]
  const more = keys.length > MAX_SHOWN ? [', …'] : []
  const shown = keys.slice(0, MAX_SHOWN).join(', ')
  return `${count(keys.length, 'unreadable key')} left out: to remove, give the key itself (${shown}${more})`
}

/** Whether a change needs a confirmation: a change of several endpoints, or of all endpoints of a service. */
export function needsConfirmation(choices: readonly Choice[]): boolean {
  const chosen = choices.flatMap(({ endpoints }) => endpoints ?? [])
  return chosen.length > 1 || choices.some(({ endpoints, isWhole }) => endpoints !== null && isWhole)
}

/** `3 endpoints of hello (10.0.0.5:1001, 10.0.0.5:1002, …), 1 endpoint of payments (10.0.0.5:2001)`. */
export function formatChoices(choices: readonly Choice[]): string {
  const parts = choices.map(({ selection, endpoints }) => {
    const { service, addr } = selection
    if (endpoints === null)
      return [service, addr, formatFilter(selection.filter ?? NONE)].filter(Boolean).join(' ')
    const shown = endpoints.slice(0, MAX_SHOWN).map((endpoint) => endpoint.addr)
    const more = endpoints.length > shown.length ? [', …'] : []
    return `${count(endpoints.length, 'endpoint')} of ${service} (${shown.join(', ')}${more})`
  })
  return parts.join(', ')
}

const NONE = { select: [], addrs: [], host: null }

/** Maximum number of endpoints of a service in a question. */
const MAX_SHOWN = 5

/** The error if the arguments of a command select no endpoints. */
export function needsEndpoint(command: string, target: string | undefined): DiscoError {
  return new DiscoError(
    'USAGE',
    `disco ${command} needs ${target === undefined ? 'TARGET and ADDR' : 'ADDR'}`,
    {
      suggestions: [`Such as: disco ${command} hello 1.2.3.4:1001`, 'Several: -l SELECTOR or --host HOST'],
    },
  )
}
