import { type Endpoint, isReadable } from '../domain/endpoint.js'
import { shownKey } from '../domain/key-text.js'
import { findLayout } from '../domain/layouts/index.js'
import { effectiveWeight } from '../domain/shares.js'
import { targetOf } from '../grpc/resolver/target.js'
import type { ServiceFacts } from './facts.js'

/** How to fix a finding. */
export interface Remedy {
  /** A program and its arguments, unquoted; null if no command fixes it. */
  readonly command: readonly string[] | null
  /** Another remedy, or the condition of the command, as a clause. */
  readonly otherwise: string | null
  /**
   * The key that `--fix` may remove: no registrar holds it, and its address has no server, or a server with another
   * key. Null if a person must decide.
   */
  readonly removes: Endpoint | null
  /** The server's other registration, which must still exist then; null if there is no server at the address. */
  readonly twin: Endpoint | null
}

export function remedyOf(
  command: readonly string[] | null,
  otherwise: string | null = null,
  removes: Endpoint | null = null,
  twin: Endpoint | null = null,
): Remedy {
  return { command, otherwise, removes, twin }
}

/** For a key that has no `commandOn`. */
const NO_COMMAND = 'no command can name its key: its writer must correct or delete it'
const ONLY_FIX = 'no command can name its key: disco doctor --fix can remove it'

/**
 * The remedy by a command about one endpoint.
 *
 * @param command null for a key that cannot be typed: the other words, which refer to the command, are then replaced
 */
export function remedyBy(
  command: readonly string[] | null,
  otherwise: string,
  removes: Endpoint | null = null,
  twin: Endpoint | null = null,
): Remedy {
  const unnamed = removes === null ? NO_COMMAND : ONLY_FIX
  return remedyOf(command, command === null ? unnamed : otherwise, removes, twin)
}

/** Names that a command can take without encoding: no flag, no URI, nothing that a terminal hides. */
const PLAIN_SERVICE = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/
const PRINTABLE = /^[ -~]+$/

/**
 * A command about one endpoint: by its address where that is unambiguous, else by its key. Null for a key that cannot
 * be typed.
 */
export function commandOn(
  verb: readonly string[],
  endpoint: Endpoint,
  service: readonly Endpoint[],
  ...rest: readonly string[]
): readonly string[] | null {
  const name = nameOf(endpoint, service)
  return name === null ? null : ['disco', ...verb, targetWord(endpoint), name, ...rest]
}

/** A service as a TARGET: a registry may hold a name that reads as a flag, or is not printable. */
export function targetWord({ service, layout }: Pick<Endpoint, 'service' | 'layout'>): string {
  return PLAIN_SERVICE.test(service) ? service : `${targetOf(service)}?layout=${layout}`
}

function nameOf(endpoint: Endpoint, service: readonly Endpoint[]): string | null {
  const { addr, key } = endpoint
  const isAlone = service.every((other) => other.addr !== addr || other.key === key)
  if (isReadable(endpoint) && isAlone && PRINTABLE.test(addr) && !addr.startsWith('-')) return addr
  const shown = shownKey(key)
  return PRINTABLE.test(shown) && shown.includes('/') && !shown.startsWith('-') ? shown : null
}

/**
 * Takes an endpoint that does not serve out of rotation: by weight 0, which can be undone, if the service has
 * weights and another endpoint with one; else by removal, also if its weight is 0 already.
 */
export function outOfRotation(endpoint: Endpoint, facts: ServiceFacts, otherwise: string): Remedy {
  const { endpoints, weightsUnset } = facts
  const weightless = findLayout(endpoint.layout)?.weightless !== null
  const isDrained = endpoint.weight === 0
  if (!weightless && !weightsUnset && !isDrained && keepsWeight(endpoint, endpoints)) {
    return remedyBy(commandOn(['weight'], endpoint, endpoints, '0'), otherwise)
  }
  return remedyBy(commandOn(['unregister'], endpoint, endpoints), otherwise)
}

/** Whether another key keeps a weight without this one; if none does, weights would count as unset. */
export function keepsWeight({ key }: Endpoint, service: readonly Endpoint[]): boolean {
  return service.some((other) => other.key !== key && effectiveWeight(other, false) > 0)
}

/**
 * Whether a key is a leftover that can be removed without a look: it lacks a lease, so no registrar holds it; its host
 * refuses connections to each of its addresses, so no server is there; and the service keeps a weight without it, or
 * has none.
 */
export function isStale(endpoint: Endpoint, facts: ServiceFacts): boolean {
  if (!lacksLease(endpoint)) return false
  const { key } = endpoint
  const ofKey = facts.endpoints.filter((other) => other.key === key)
  const isRefused = ofKey.every((other) => facts.healthOf(other)?.fault === 'refused')
  const [first] = ofKey
  if (!first || !isRefused) return false
  return facts.weightsUnset || first.weight === 0 || keepsWeight(first, facts.endpoints) || isOnly(key, facts)
}

/** Whether a key has no lease although writers of its layout take one: records of SkyDNS, say, are written by hand. */
export function lacksLease({ lease, layout }: Endpoint): boolean {
  return lease === null && findLayout(layout)?.wantsLease === true
}

/** Whether no other endpoint would be left to get its traffic by mistake. */
function isOnly(key: string, { endpoints }: ServiceFacts): boolean {
  return endpoints.every((endpoint) => endpoint.key === key || endpoint.problem !== null)
}
