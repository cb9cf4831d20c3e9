import type { Endpoint } from './endpoint.js'
import { ExactSum } from './exact-sum.js'

/**
 * What an LB policy promises of the shares: `exact`, that no endpoint strays by a whole pick; `random`, that
 * they follow on average; `none`, because something else than the weights decides (a key, the load).
 */
export type ShareRule = 'exact' | 'random' | 'none'

type Weighted = Pick<Endpoint, 'weight' | 'problem'>

/**
 * Whether nobody ever set a weight here: every usable endpoint of the service has 0, as writers do that
 * know no weights. All of them then count as equal.
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

/** The weight that balancing gives an endpoint: its own, 1 where weights are unset, 0 where it is unusable. */
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
 * Running totals of one service, from which a share follows in O(1). Every endpoint that is added must be removed
 * with the weight and problem that it was added with. Shares depend on the endpoints that are in the totals alone,
 * not on the order in which they came or on those that left: weights may be fractions, or exceed 2^53 together.
 */
export class ShareTotals {
  /** How many endpoints are in the totals, usable or not. */
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

  /** As `weightsAreUnset` of all endpoints that are in the totals. */
  get areUnset(): boolean {
    return this.usable > 0 && this.weighted === 0
  }

  /** Part of the whole service's traffic that an endpoint gets, from 0 to 1. */
  shareOf(endpoint: Weighted): number {
    if (this.areUnset) return effectiveWeight(endpoint, true) / this.usable
    return this.weight.fractionOf(effectiveWeight(endpoint, false))
  }
}
