import { namesOf, type RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import { type CallKeys, type Chooser, NO_KEYS, type Policy, seeded } from '../policies/index.js'

export interface SimulationPlan {
  readonly policy: Policy
  readonly picks: number
  readonly seed: number
}

/** One endpoint's part in a simulation. */
export interface SimulatedEndpoint {
  readonly endpoint: RegisteredEndpoint
  readonly picks: number
  /** Expected picks by weight; null under a policy that promises no shares. */
  readonly expected: number | null
}

export interface PickSimulation {
  readonly endpoints: readonly SimulatedEndpoint[]
  /** Picks for which the policy had no endpoint. */
  readonly refused: number
  /** The largest |picks - expected| of any endpoint at any moment; null if no share is expected. */
  readonly largestGap: number | null
}

/** How many keys move to another endpoint when some endpoints leave. */
export interface Moves {
  readonly keys: number
  readonly moved: number
  /** Moved keys that belonged to the leaving endpoints. */
  readonly own: number
}

/**
 * Simulates picks of a policy without the network: every endpoint is READY, and each call ends before the next
 * pick. Policies that choose by a key get a new key for each pick, unless the policy has the parameter `key`.
 */
export function simulatePicks(
  endpoints: readonly RegisteredEndpoint[],
  plan: SimulationPlan,
): PickSimulation {
  const { policy, picks } = plan
  const weightOf = ({ weight }: RegisteredEndpoint) => (policy.weighted ? weight : Math.min(weight, 1))
  const total = endpoints.reduce((sum, endpoint) => sum + weightOf(endpoint), 0)
  const expectsShares = policy.weighted || policy.shares !== 'none'
  const shareOf = (endpoint: RegisteredEndpoint) => (total === 0 ? 0 : weightOf(endpoint) / total)
  const counts = new Map<RegisteredEndpoint, number>()
  const chooser = chooserOf(endpoints, plan)
  let refused = 0
  let largestGap = 0
  for (let pick = 0; pick < picks; pick++) {
    const chosen = chooser.choose(keysOf(policy, pick))
    if (chosen === null) {
      refused++
      continue
    }
    // An endpoint is furthest behind just before it is picked, or at the end, and furthest ahead just after.
    const count = counts.get(chosen) ?? 0
    counts.set(chosen, count + 1)
    const share = shareOf(chosen)
    largestGap = Math.max(largestGap, pick * share - count, count + 1 - (pick + 1) * share)
  }
  const simulated = endpoints.map((endpoint) => {
    const expected = picks * shareOf(endpoint)
    const count = counts.get(endpoint) ?? 0
    largestGap = Math.max(largestGap, Math.abs(expected - count))
    return { endpoint, picks: count, expected: expectsShares ? expected : null }
  })
  return { endpoints: simulated, refused, largestGap: expectsShares ? largestGap : null }
}

/** Compares the owners of `plan.picks` keys before and after the leavers are removed. */
export function movedKeys(
  endpoints: readonly RegisteredEndpoint[],
  leavers: ReadonlySet<RegisteredEndpoint>,
  plan: SimulationPlan,
): Moves {
  const before = chooserOf(endpoints, plan)
  const after = chooserOf(
    endpoints.filter((endpoint) => !leavers.has(endpoint)),
    plan,
  )
  let [moved, own] = [0, 0]
  for (let pick = 0; pick < plan.picks; pick++) {
    const keys = { hashKey: keyOf(pick), pin: null }
    const owner = before.choose(keys)
    if (owner === after.choose(keys)) continue
    moved++
    if (owner && leavers.has(owner)) own++
  }
  return { keys: plan.picks, moved, own }
}

function chooserOf(
  endpoints: readonly RegisteredEndpoint[],
  { policy, seed }: SimulationPlan,
): Chooser<RegisteredEndpoint> {
  const ranks = new Map(endpoints.map((endpoint, rank) => [endpoint, rank]))
  const chooser = policy.create<RegisteredEndpoint>({
    random: seeded(seed),
    clientKey: keyOf(0),
    id: ({ id }) => id,
    names: namesOf,
    rank: (endpoint) => ranks.get(endpoint) ?? 0,
    outstanding: () => 0,
  })
  for (const endpoint of endpoints) if (endpoint.weight > 0) chooser.join(endpoint, endpoint.weight)
  return chooser
}

function keysOf(policy: Policy, pick: number): CallKeys {
  const isGiven = 'key' in policy.config || !policy.reads.includes('hashKey')
  return isGiven ? NO_KEYS : { hashKey: keyOf(pick), pin: null }
}

function keyOf(pick: number): string {
  return `key-${pick + 1}`
}
