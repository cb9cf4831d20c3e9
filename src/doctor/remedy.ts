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
   * An endpoint of the key that `--fix` may remove: no registrar holds the key, and either no server listens at its
   * address or the server has another key. Null if a person must decide.
   */
  readonly removes: Endpoint | null
  /** The other key of the same server, which must be unchanged when `removes` is removed; null if there is none. */
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

/** Texts for a key that `commandOn` cannot name. */
const NO_COMMAND = 'no command can name its key: its writer must correct or delete it'
const ONLY_FIX = 'no command can name its key: disco doctor --fix can remove it'

/**
 * A remedy whose command names one endpoint.
 *
 * @param command from `commandOn`; if null, a text about the missing command replaces `otherwise`, which refers to it
 */
export function remedyBy(
  command: readonly string[] | null,
  otherwise: string,
  removes: Endpoint | null = null,
  twin: Endpoint | null = null,
): Remedy {
  const noCommand = removes === null ? NO_COMMAND : ONLY_FIX
  return remedyOf(command, command === null ? noCommand : otherwise, removes, twin)
}

/** Service names that can be typed as they are: not a flag, not a URI, and without invisible characters. */
const PLAIN_SERVICE = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/
const PRINTABLE = /^[ -~]+$/

/**
 * A disco command that names one endpoint: by its address if no other key of the service has that address, else by its
 * key. Null if the key cannot be typed.
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

/** The TARGET for a service: its name, or a URI if the name looks like a flag or is not printable. */
export function targetWord({ service, layout }: Pick<Endpoint, 'service' | 'layout'>): string {
  return PLAIN_SERVICE.test(service) ? service : `${targetOf(service)}?layout=${layout}`
}

function nameOf(endpoint: Endpoint, service: readonly Endpoint[]): string | null {
  const { addr, key } = endpoint
  const isUnambiguous = service.every((other) => other.addr !== addr || other.key === key)
  if (isReadable(endpoint) && isUnambiguous && PRINTABLE.test(addr) && !addr.startsWith('-')) return addr
  const shown = shownKey(key)
  return PRINTABLE.test(shown) && shown.includes('/') && !shown.startsWith('-') ? shown : null
}

/**
 * The remedy that takes an endpoint out of rotation: weight 0, which can be undone, if another key of the service has
 * a weight. Otherwise, or if its weight is 0 already, the remedy is to remove the key.
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

/** Whether another key of the service has a weight above 0. If none has, weights count as unset without this key. */
export function keepsWeight({ key }: Endpoint, service: readonly Endpoint[]): boolean {
  return service.some((other) => other.key !== key && effectiveWeight(other, false) > 0)
}

/**
 * Whether a key is a leftover that can be removed without asking a person. Three conditions: it lacks a lease, so no
 * registrar holds it; each of its addresses refuses connections, so its server has ended; its removal does not leave
 * drained endpoints as the only ones, which would then get all the traffic.
 */
export function isLeftover(endpoint: Endpoint, facts: ServiceFacts): boolean {
  if (!lacksLease(endpoint)) return false
  const { key } = endpoint
  const ofKey = facts.endpoints.filter((other) => other.key === key)
  const isRefused = ofKey.every((other) => facts.healthOf(other)?.fault === 'refused')
  const [first] = ofKey
  if (!first || !isRefused) return false
  return facts.weightsUnset || first.weight === 0 || keepsWeight(first, facts.endpoints) || isOnly(key, facts)
}

/** Whether a key has no lease although writers of its layout take one. Records of SkyDNS, for example, need none. */
export function lacksLease({ lease, layout }: Endpoint): boolean {
  return lease === null && findLayout(layout)?.wantsLease === true
}

/** Whether the service has no readable endpoint under another key, which would get the traffic of this one. */
function isOnly(key: string, { endpoints }: ServiceFacts): boolean {
  return endpoints.every((endpoint) => endpoint.key === key || endpoint.problem !== null)
}
