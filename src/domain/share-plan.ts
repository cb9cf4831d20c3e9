import { type Endpoint, isReadable } from './endpoint.js'
import { type EndpointFilter, formatFilter, isChosen, requireChosen } from './endpoint-filter.js'
import { DiscoError } from './errors.js'
import { findLayout } from './layouts/index.js'
import { weightsAreUnset } from './shares.js'
import { MAX_WEIGHT } from './weight.js'

/** The whole traffic of a service, in parts per million. */
export const WHOLE_PPM = 1_000_000

/** Some endpoints of a service, and the share of its traffic that they get together. */
export interface SharePart {
  readonly filter: EndpointFilter
  /** In parts per million: 50,000 is 5%. */
  readonly sharePpm: number
}

/**
 * The weights to set, by etcd key. The result of `planShares` has every key with a dialable endpoint. Other plans may
 * omit keys, whose weights are kept.
 */
export type PlannedWeights = ReadonlyMap<string, number>

/** A key whose weight is planned. Each address under the key has the key's whole weight. */
interface PlannedKey {
  readonly key: string
  readonly endpoints: Endpoint[]
  /** The index of its part; -1 for the rest. */
  part: number
}

/**
 * Reads `5%` or `0.25%`: up to four decimals.
 *
 * @returns parts per million; undefined for any other text, and above 100%
 */
export function readSharePpm(text: string): number | undefined {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text) ?? []
  const ppm = Math.round(Number(percent) * (WHOLE_PPM / 100))
  return percent !== undefined && ppm <= WHOLE_PPM ? ppm : undefined
}

/**
 * The weights by which each part gets its share of the service. All other endpoints are the rest, and get the remaining
 * share. Weights within a part keep their ratios.
 *
 * If every weight of the service is 0, the current weights count as equal. Otherwise an endpoint at weight 0 stays at 0.
 * An exception: if all endpoints of a part are at 0, they get equal weights. The rest has no such exception: if all of it
 * is at 0 and it would get a share, the plan is refused (CONFLICT).
 *
 * No weight of the rest becomes smaller, unless the rest gets nothing or a weight would exceed MAX_WEIGHT. When an
 * endpoint restarts, it registers with the weight that its program sets, not with the planned one: if the plan had made
 * the weights of the rest smaller, that endpoint would get too much of the traffic.
 *
 * If integer weights of at most 1,000,000 can express the shares, the shares are exact. If not, weights are rounded, and
 * each share has a relative error of at most a thousandth, unless MAX_WEIGHT forces weights below MIN_ROUNDED_WEIGHT.
 *
 * @param service every endpoint of the service
 * @throws DiscoError USAGE (shares over 100%, an endpoint in two parts); NOT_FOUND (a part selects none); CONFLICT (an
 *   endpoint cannot carry a weight, a selected endpoint cannot be read, the addresses of a key would get different
 *   shares, or a share above 0 would go to no endpoint)
 */
export function planShares(service: readonly Endpoint[], parts: readonly SharePart[]): PlannedWeights {
  const name = service[0]?.service ?? ''
  const restPpm = WHOLE_PPM - parts.reduce((sum, { sharePpm }) => sum + sharePpm, 0)
  if (restPpm < 0) throw new DiscoError('USAGE', `The shares add up to ${percentText(WHOLE_PPM - restPpm)}`)
  for (const { filter } of parts) requireChosen(filter, service, name)
  const keys = keysOf(service, parts)
  const unset = weightsAreUnset(service)
  const planned = [-1, ...parts.keys()].map((part) => {
    const sharePpm = parts[part]?.sharePpm ?? restPpm
    const own = keys.filter((keyed) => keyed.part === part)
    return { own, sharePpm, relations: relationsIn(own, { isNamed: part >= 0, unset, sharePpm, name }) }
  })
  const exact = exactWeights(planned)
  const floors = floorsOf(planned)
  const most = [...exact.values()].reduce((one, other) => (one > other ? one : other), 0n)
  if (most <= MAX_EXACT_WEIGHT) return currentWeightsIfExact(keys, exact) ?? numbers(atLeast(exact, floors))
  return roundedWeights(exact, floors)
}

/** If an exact weight would be above this, all weights are rounded instead, because rounded ones are easier to read. */
const MAX_EXACT_WEIGHT = 1_000_000n

/** If no weight above 0 is smaller than this, rounding changes each share by at most a thousandth of it. */
const MIN_ROUNDED_WEIGHT = 1_000

function keysOf(service: readonly Endpoint[], parts: readonly SharePart[]): PlannedKey[] {
  const byKey = new Map<string, PlannedKey>()
  for (const endpoint of service) {
    const { key, addr, layout, problem } = endpoint
    const chosenBy = [...parts.keys()].filter((at) => isChosen(parts[at]?.filter ?? MATCHES_NONE, endpoint))
    const [part = -1, another] = chosenBy
    if (another !== undefined) {
      const [one, other] = [parts[part], parts[another]].map((each) =>
        formatFilter(each?.filter ?? MATCHES_NONE),
      )
      throw new DiscoError('USAGE', `${addr || key} is selected twice: by ${one} and by ${other}`)
    }
    if (problem !== null) {
      if (part >= 0 && !isReadable(endpoint)) {
        throw new DiscoError('CONFLICT', `${addr || key} cannot carry a share: ${problem.text}`, {
          suggestions: ['For how to mend it: disco doctor'],
        })
      }
      continue
    }
    const weightless = findLayout(layout)?.weightless ?? null
    if (weightless !== null) {
      throw new DiscoError('CONFLICT', `The value of ${key} cannot carry a weight: ${weightless}`)
    }
    const known = byKey.get(key)
    if (!known) byKey.set(key, { key, endpoints: [endpoint], part })
    else if (known.part === part) known.endpoints.push(endpoint)
    else {
      throw new DiscoError(
        'CONFLICT',
        `Addresses of ${key} cannot have different shares: the key has one weight`,
        {
          suggestions: [
            `Select all of it: ${service.flatMap((one) => (one.key === key ? one.addr : [])).join(', ')}`,
          ],
        },
      )
    }
  }
  return [...byKey.values()]
}

const MATCHES_NONE: EndpointFilter = { select: [], addrs: [''], host: null }

/** The ratios of the weights in a part, in the order of its keys. All are 0 if the part gets no traffic. */
function relationsIn(
  own: readonly PlannedKey[],
  {
    isNamed,
    unset,
    sharePpm,
    name,
  }: { readonly isNamed: boolean; readonly unset: boolean; readonly sharePpm: number; readonly name: string },
): bigint[] {
  if (sharePpm === 0) return own.map(() => 0n)
  const weights = own.map(({ endpoints: [first] }) => (unset ? 1 : (first?.weight ?? 0)))
  if (weights.some((weight) => weight > 0)) return wholeNumbers(weights)
  if (isNamed && own.length > 0) return own.map(() => 1n)
  const [why, remedy] = isNamed
    ? ['gRPC does not dial the selected ones', 'For the reason: disco doctor']
    : own.length === 0
      ? [
          'gRPC dials no endpoint outside the selections',
          'Without other endpoints, the given shares must add up to 100%',
        ]
      : [
          'all others are drained (weight 0)',
          'Select the others as well, such as version=1.0.0=95%, or restore their weights first: disco drain --undo',
        ]
  throw new DiscoError('CONFLICT', `${percentText(sharePpm)} of ${name} would go to no endpoint: ${why}`, {
    suggestions: [remedy],
  })
}

/** Weights as whole numbers in the same ratios. Fractions, which some layouts store, are rounded to six decimals. */
function wholeNumbers(weights: readonly number[]): bigint[] {
  if (weights.every(Number.isSafeInteger)) return weights.map(BigInt)
  return weights.map((weight) => BigInt(weight > 0 ? Math.max(1, Math.round(weight * 1e6)) : 0))
}

/** A part, or the rest, with its share and the ratios of its weights. */
interface PlannedPart {
  /** The keys of the part. */
  readonly own: readonly PlannedKey[]
  readonly sharePpm: number
  /** The ratios of the weights, in the order of `own`. */
  readonly relations: readonly bigint[]
}

/** The smallest weights that give exactly the shares: they have no common divisor. */
function exactWeights(planned: readonly PlannedPart[]): Map<string, bigint> {
  const sums = planned.map(({ own, relations }) =>
    own.reduce((sum, { endpoints }, at) => sum + BigInt(endpoints.length) * (relations[at] ?? 0n), 0n),
  )
  const multiple = sums.reduce((all, sum) => (sum === 0n ? all : (all / commonDivisor(all, sum)) * sum), 1n)
  const weights = new Map<string, bigint>()
  for (const [at, { own, sharePpm, relations }] of planned.entries()) {
    const sum = sums[at] ?? 0n
    for (const [index, { key }] of own.entries()) {
      const relation = relations[index] ?? 0n
      weights.set(key, sum === 0n ? 0n : (BigInt(sharePpm) * relation * multiple) / sum)
    }
  }
  const common = [...weights.values()].reduce(commonDivisor, 0n)
  if (common > 1n) for (const [key, weight] of weights) weights.set(key, weight / common)
  return weights
}

/** The current weights, if they already have the wanted ratios; otherwise null. */
function currentWeightsIfExact(
  keys: readonly PlannedKey[],
  exact: ReadonlyMap<string, bigint>,
): PlannedWeights | null {
  const pairs = keys.map(({ key, endpoints: [first] }) => [first?.weight ?? 0, exact.get(key) ?? 0n] as const)
  const [weight, wanted] = pairs.find(([, each]) => each > 0n) ?? [0, 0n]
  if (weight === 0 || !pairs.every(([each]) => Number.isSafeInteger(each))) return null
  const isSame = pairs.every(([each, other]) => BigInt(each) * wanted === BigInt(weight) * other)
  return isSame ? new Map(keys.map(({ key, endpoints: [first] }) => [key, first?.weight ?? 0])) : null
}

/**
 * The minimum weights by key: the current weights. After a restart, an endpoint registers with the weight that its
 * program sets. If the others had much smaller weights by then, it would get most of the traffic. Only keys of the rest
 * have a minimum, so that a part with a smaller share than before can get smaller weights. If the rest gets nothing,
 * the keys of all parts with a share above 0 have a minimum instead.
 */
function floorsOf(planned: readonly PlannedPart[]): ReadonlyMap<string, number> {
  const [rest] = planned
  const isServed = ({ relations }: PlannedPart) => relations.some((relation) => relation > 0n)
  const held = rest && isServed(rest) ? [rest] : planned.filter(isServed)
  return new Map(
    held.flatMap(({ own }) => own.map(({ key, endpoints: [first] }) => [key, first?.weight ?? 0])),
  )
}

/**
 * Multiplies all weights by the smallest whole number that brings each key to its minimum. If a weight would then
 * exceed MAX_WEIGHT, multiplies by the largest whole number that keeps every weight within MAX_WEIGHT.
 */
function atLeast(
  exact: ReadonlyMap<string, bigint>,
  floors: ReadonlyMap<string, number>,
): ReadonlyMap<string, bigint> {
  let [factor, most] = [1n, 1n]
  for (const [key, weight] of exact) {
    const floor = BigInt(Math.ceil(floors.get(key) ?? 0))
    const needed = weight === 0n ? 1n : (floor + weight - 1n) / weight
    if (needed > factor) factor = needed
    if (weight > most) most = weight
  }
  const limit = BigInt(MAX_WEIGHT) / most
  const by = factor < limit ? factor : limit
  return new Map([...exact].map(([key, weight]) => [key, weight * by]))
}

function numbers(weights: ReadonlyMap<string, bigint>): PlannedWeights {
  return new Map([...weights].map(([key, weight]) => [key, Number(weight)]))
}

function roundedWeights(
  exact: ReadonlyMap<string, bigint>,
  floors: ReadonlyMap<string, number>,
): PlannedWeights {
  const real = numbers(exact)
  const positive = [...real.values()].filter((weight) => weight > 0)
  const toFloors = [...real].map(([key, weight]) => (weight > 0 ? (floors.get(key) ?? 0) / weight : 0))
  const factor = Math.min(
    Math.max(
      MIN_ROUNDED_WEIGHT / positive.reduce((one, other) => Math.min(one, other)),
      toFloors.reduce((one, other) => Math.max(one, other), 0),
    ),
    MAX_WEIGHT / positive.reduce((one, other) => Math.max(one, other)),
  )
  return new Map(
    [...real].map(([key, weight]) => [key, weight === 0 ? 0 : Math.max(1, Math.round(weight * factor))]),
  )
}

function commonDivisor(one: bigint, other: bigint): bigint {
  let [a, b] = [one, other]
  while (b > 0n) [a, b] = [b, a % b]
  return a
}

/** Parts per million as a percentage: 50,000 as `5%`. */
export function percentText(ppm: number): string {
  return `${ppm / (WHOLE_PPM / 100)}%`
}
