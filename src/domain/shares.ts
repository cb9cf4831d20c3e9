import type { Endpoint } from './endpoint.js'
import { ExactSum } from './exact-sum.js'

/**
 * How closely the picks of an LB policy follow the shares. `exact`: the picks of each endpoint differ from its share by
 * less than one pick. `random`: picks follow shares on average. `none`: picks depend on other inputs, such as a key or
 * the load.
 */
export type ShareRule = 'exact' | 'random' | 'none'

type Weighted = Pick<Endpoint, 'weight' | 'problem'>

/**
 * Whether the weights of a service are unset: every usable endpoint has 0, as registered by writers without
 * weights. All endpoints then count as equal.
 *
 * @param service every endpoint of the service, all versions: a filter must not change the result
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

/** The effective weight of an endpoint: the registered one, 1 if weights are unset, 0 if the endpoint is unusable. */
export function effectiveWeight(endpoint: Weighted, unset: boolean): number {
  if (endpoint.problem !== null) return 0
  return unset ? 1 : endpoint.weight
}

/** An endpoint of a service, with its registry if several are read together. */
type WithOrigin = Weighted & Pick<Endpoint, 'origin'>

/**
 * Returns a function that gives the effective weight of an endpoint of the service. With several registries, weights
 * may be set in one registry and unset in another.
 *
 * @param service every endpoint of the service, as for `weightsAreUnset`
 */
export function effectiveWeights(service: readonly WithOrigin[]): (endpoint: WithOrigin) => number {
  const parts = byRegistry(service)
  const unset = new Set([...parts].filter(([, part]) => weightsAreUnset(part)).map(([name]) => name))
  return (endpoint) => effectiveWeight(endpoint, unset.has(endpoint.origin?.registry))
}

/**
 * Returns a function that gives an endpoint's share of the whole service's traffic, from 0 to 1, if all endpoints are
 * READY. Of several registries with dialable endpoints, those with the lowest priority number get all traffic, each in
 * proportion to its weight.
 */
export function shareWithin(service: readonly WithOrigin[]): (endpoint: WithOrigin) => number {
  const parts = [...byRegistry(service)].map(([name, part]) => {
    const totals = new ShareTotals()
    for (const endpoint of part) totals.add(endpoint)
    return { name, totals, origin: part[0]?.origin, isUsable: part.some(({ problem }) => problem === null) }
  })
  const usable = parts.filter(({ isUsable }) => isUsable).map(({ origin }) => origin)
  const priority = Math.min(...usable.map((origin) => origin?.priority ?? 0))
  const used = usable.filter((origin) => (origin?.priority ?? 0) === priority)
  const total = used.reduce((sum, origin) => sum + (origin?.weight ?? 1), 0)
  const shares = new Map(
    parts.map(({ name, totals, origin }) => {
      const part = used.includes(origin) ? (origin?.weight ?? 1) / total : 0
      return [name, { totals, part }]
    }),
  )
  return (endpoint) => {
    const registry = shares.get(endpoint.origin?.registry)
    return registry ? registry.part * registry.totals.shareOf(endpoint) : 0
  }
}

/** The endpoints by registry. The name is undefined if only one registry is read. */
function byRegistry<One extends WithOrigin>(
  service: readonly One[],
): Map<string | undefined, readonly One[]> {
  if (service.every(({ origin }) => origin === undefined)) return new Map([[undefined, service]])
  const parts = new Map<string | undefined, One[]>()
  for (const endpoint of service) {
    const name = endpoint.origin?.registry
    const part = parts.get(name)
    if (part) part.push(endpoint)
    else parts.set(name, [endpoint])
  }
  return parts
}

/** Each endpoint's share of the whole service's traffic, from 0 to 1, in the given order. */
export function shareFractions(service: readonly WithOrigin[]): number[] {
  return service.map(shareWithin(service))
}

/**
 * Running totals of one service, by which a share is computed in O(1). An endpoint must be removed with the same weight
 * and problem that it was added with. Shares depend only on the endpoints in the totals, not on the order in which they
 * were added or on removed endpoints. This needs an exact sum, since weights may be fractions, or exceed 2^53 together.
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

  /** The endpoint's share of the whole service's traffic, from 0 to 1. */
  shareOf(endpoint: Weighted): number {
    if (this.areUnset) return effectiveWeight(endpoint, true) / this.usable
    return this.weight.fractionOf(effectiveWeight(endpoint, false))
  }
}
