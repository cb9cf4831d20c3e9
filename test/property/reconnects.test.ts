import { expect, it } from 'vitest'
import { seeded } from '../../src/domain/rng.js'
import type { PolicyKind } from '../../src/policies/policy.js'
import { roundRobin } from '../../src/policies/round-robin.js'
import { weightedRoundRobin } from '../../src/policies/weighted-round-robin.js'
import { chooserOf } from '../support/choosers.js'

const RUNS = 300
const PICKS = 400

/**
 * Which endpoint disconnects after a pick: a random one, or the one that was just picked, as with a server that closes
 * connections after calls.
 */
type Cut = 'random' | 'served'

/**
 * The largest absolute difference between an endpoint’s share of the picks made while it was READY and its own picks,
 * at any moment of a run.
 */
function largestGap(kind: PolicyKind, cut: Cut, seed: number): number {
  const rng = seeded(seed)
  const size = 2 + (seed % 12)
  const weights = Array.from({ length: size }, () => (kind.weighted ? 1 + Math.floor(rng() * 10) : 1))
  const chooser = chooserOf<number>(kind)
  for (const [id, weight] of weights.entries()) chooser.join(id, weight)
  const awayFor = weights.map(() => 0)
  const gaps = weights.map(() => 0)
  const [often, long] = [rng() * 0.3, 1 + Math.floor(rng() * 30)]
  const isReady = (id: number) => awayFor[id] === 0
  const cutOff = (id: number) => {
    if (!isReady(id) || awayFor.filter((left) => left === 0).length < 2) return
    awayFor[id] = 1 + Math.floor(rng() * long)
    chooser.suspend?.(id)
  }
  let largest = 0
  for (let pick = 0; pick < PICKS; pick++) {
    for (const [id, weight] of weights.entries()) {
      if (isReady(id)) continue
      awayFor[id] = (awayFor[id] ?? 0) - 1
      if (isReady(id)) chooser.resume?.(id, weight)
    }
    if (cut === 'random') for (const id of weights.keys()) if (rng() < often) cutOff(id)
    const total = weights.reduce((sum, weight, id) => sum + (isReady(id) ? weight : 0), 0)
    for (const [id, weight] of weights.entries()) {
      if (isReady(id)) gaps[id] = (gaps[id] ?? 0) + weight / total
    }
    const chosen = chooser.choose()
    if (chosen === null || !isReady(chosen))
      throw new Error(`pick ${pick} of seed ${seed} is of an endpoint that is not READY`)
    largest = Math.max(largest, ...gaps.map(Math.abs))
    gaps[chosen] = (gaps[chosen] ?? 0) - 1
    largest = Math.max(largest, ...gaps.map(Math.abs))
    if (cut === 'served' && rng() < often * 3) cutOff(chosen)
  }
  return largest
}

it.each([
  [weightedRoundRobin.name, weightedRoundRobin, 'random', 3],
  [weightedRoundRobin.name, weightedRoundRobin, 'served', 4],
  [roundRobin.name, roundRobin, 'random', 5],
  [roundRobin.name, roundRobin, 'served', 5],
] as const)(
  '%s: gaps from reconnects do not accumulate, and a disconnected endpoint is not picked',
  (_, kind, cut, most) => {
    const gaps = Array.from({ length: RUNS }, (_, seed) => largestGap(kind, cut, seed + 1))
    expect(Math.max(...gaps)).toBeLessThan(most)
  },
)
