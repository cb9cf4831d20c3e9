import { DiscoError } from '../domain/errors.js'
import { didYouMean } from '../domain/nearest.js'
import { leastRequest } from './least-request.js'
import { pickFirst } from './pick-first.js'
import { pinnedOr } from './pinned.js'
import type { PolicyKind } from './policy.js'
import { random } from './random.js'
import { ringHash, sourceHash } from './ring-hash.js'
import { roundRobin } from './round-robin.js'
import { weightedRandom } from './weighted-random.js'
import { weightedRoundRobin } from './weighted-round-robin.js'

export { type Rng, seeded } from '../domain/rng.js'
export type { ShareRule } from '../domain/shares.js'
export { EndpointBalancer, type EndpointBalancerSettings, type PickedEndpoint } from './endpoint-balancer.js'
export type { CallKeys, Chooser, Environment, Policy, PolicyKind, PolicyTraits } from './policy.js'
export { NO_KEYS } from './policy.js'

const CHOOSING_FREELY = [
  weightedRoundRobin,
  roundRobin,
  random,
  weightedRandom,
  leastRequest,
  ringHash,
  sourceHash,
  pickFirst,
] as const

const ALL = [...CHOOSING_FREELY, pinnedOr(CHOOSING_FREELY)] as const

/**
 * All policies; the first is the default.
 *
 * @example
 * ```ts
 * import { POLICIES } from 'disco-registry/policies'
 *
 * const exact = POLICIES.filter(({ shares }) => shares === 'exact').map(({ name }) => name)
 * ```
 */
export const POLICIES: readonly [PolicyKind, ...PolicyKind[]] = ALL

/** Name of a policy, or its short name. */
export type PolicyName = (typeof ALL)[number]['name' | 'shortName']

/** Any string. Editors suggest the given names. */
export type NameOf<Names extends string> = Names | (string & Record<never, never>)

/**
 * Finds a policy by its name or short name.
 *
 * @param source the flag or variable that the name comes from, for the error message
 * @throws DiscoError USAGE listing the valid names
 * @example
 * ```ts
 * import { findPolicy, seeded } from 'disco-registry/policies'
 *
 * const chooser = findPolicy('weighted_round_robin')
 *   .configure({})
 *   .create<string>({
 *     random: seeded(1),
 *     clientKey: 'client',
 *     id: (addr) => addr,
 *     names: (addr) => [addr],
 *     rank: () => 0,
 *     outstanding: () => 0,
 *   })
 * chooser.join('1.2.3.4:1001', 1)
 * chooser.join('1.2.3.4:1002', 10)
 * console.log(chooser.choose())
 * ```
 */
export function findPolicy(name: NameOf<PolicyName>, source?: string): PolicyKind {
  const found = POLICIES.find((policy) => policy.name === name || policy.shortName === name)
  if (found) return found
  const names = POLICIES.flatMap((policy) => [policy.name, policy.shortName])
  throw new DiscoError(
    'USAGE',
    `Unknown LB policy "${name}"${source === undefined ? '' : ` from ${source}`}`,
    {
      suggestions: [...didYouMean(name, names), `Available: ${listPolicies()}`],
    },
  )
}

/**
 * The names of all policies with their short names, separated by commas, for messages.
 *
 * @example
 * ```ts
 * import { listPolicies } from 'disco-registry/policies'
 *
 * console.log(`LB policies: ${listPolicies()}`)
 * ```
 */
export function listPolicies(): string {
  return POLICIES.map(({ name, shortName }) => (name === shortName ? name : `${name} (${shortName})`)).join(
    ', ',
  )
}
