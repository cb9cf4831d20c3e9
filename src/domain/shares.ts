import type { Endpoint } from './endpoint.js'
import { ExactSum } from './exact-sum.js'

/**
 * An LB policy's promise about shares: `exact`, no endpoint deviates by a whole pick; `random`, picks follow shares
 * on average; `none`, picks depend on other inputs (a key, the load).
 */
export type ShareRule = 'exact' | 'random' | 'none'

type Weighted = Pick<Endpoint, 'weight' | 'problem'>

/**
 * Whether the weights of a service are unset: every usable endpoint has 0, as from writers without weights. All
 * endpoints then count as equal.
 *
 * @param service every endpoint of the service, all versions: a filter must not change the answer.
 */
export function weightsAreUnset(service: Iterable<Weighted>): boolean {
  let some = false
  for (const endpoint of service) {
    if (endpoint.problem !== null) continue
    if (endpoint.weight > 0) return false
    some = true
  }
  return some
}

/** The effective weight of an endpoint: its own, 1 where weights are unset, 0 where it is unusable. */
export function effectiveWeight(endpoint: Weighted, unset: boolean): number {
  if (endpoint.problem !== null) return 0
  return unset ? 1 : endpoint.weight
}

/** Returns each endpoint's part of the whole service's traffic, from 0 to 1. */
export function shareWithin(service: readonly Weighted[]): (endpoint: Weighted) => number {
  const totals = new ShareTotals()
  for (const endpoint of service) totals.add(endpoint)
  return (endpoint) => totals.shareOf(endpoint)
}

/** Each endpoint's part of the whole service's traffic, from 0 to 1, in the given order. */
export function shareFractions(service: readonly Weighted[]): number[] {
  return service.map(shareWithin(service))
}

/**
 * Running totals of one service, for a share in O(1). An endpoint must be removed with the same weight and problem
 * that it was added with. Shares depend only on the endpoints in the totals, not on the order in which they were
 * added or on removed ones: weights may be fractions, or exceed 2^53 together.
 */
export class ShareTotals {
  /** The number of endpoints in the totals, usable or not. */
  size = 0
  private usable = 0
  private weighted = 0
  private readonly weight = new ExactSum()

  add({ weight, problem }: Weighted): void {
    this.size++
    if (problem !== null) return
    this.usable++
    if (weight > 0) this.weighted++
    this.weight.add(weight)
  }

  remove({ weight, problem }: Weighted): void {
    this.size--
    if (problem !== null) return
    this.usable--
    if (weight > 0) this.weighted--
    this.weight.subtract(weight)
  }

  /** `weightsAreUnset` for all endpoints in the totals. */
  get areUnset(): boolean {
    return this.usable > 0 && this.weighted === 0
  }

  /** The endpoint's part of the whole service's traffic, from 0 to 1. */
  shareOf(endpoint: Weighted): number {
    if (this.areUnset) return effectiveWeight(endpoint, true) / this.usable
    return this.weight.fractionOf(effectiveWeight(endpoint, false))
  }
}
