import type { Policy } from './policy.js'
import { roundRobin } from './round-robin.js'
import { weightedRoundRobin } from './weighted-round-robin.js'

export type { Chooser, Policy } from './policy.js'

/** Every policy; the first is what a command uses when none is named. */
export const POLICIES: readonly [Policy, ...Policy[]] = [weightedRoundRobin, roundRobin]

/** The policy of that name or short name, if there is one. */
export function findPolicy(name: string): Policy | undefined {
  return POLICIES.find((policy) => policy.name === name || policy.shortName === name)
}
