import { chiSquareCritical, lnFactorial } from './gamma.js'
import { ALPHA } from './goodness-of-fit.js'

/** A run is long enough for a verdict when it would detect ignored weights with this probability. */
const POWER = 0.99

/**
 * A standard normal variable stays below this with a probability of 99.5 %. The extra half percent, and the two extra
 * calls, compensate for whole counts and for a distribution that is only nearly normal.
 */
const NORMAL_QUANTILE = 2.6
const CALLS_TO_SPARE = 2

/** Maximum number of calls for a verdict. Shares so nearly equal that they would need more count as equal. */
const MAX_CALLS = 1e12

/** A stratum of a run, with shares from 0 to 1. Both lists of shares have the same order of endpoints. */
export interface Contrast {
  /** The stratum's part of the run's calls, from 0 to 1. */
  readonly part: number
  /** The shares by the weights. */
  readonly promised: readonly number[]
  /** The shares if the weights were ignored. */
  readonly ignored: readonly number[]
}

/**
 * The number of calls needed to detect ignored weights by chi-square, or by the exact test that replaces it. If the
 * weights are equal, ignoring them makes no difference: the number is then that needed to detect that one endpoint
 * receives all calls.
 *
 * If calls are assigned at random by the wrong shares q, X² has the mean n·δ + Σ q(1−q)/p, with δ = Σ (q−p)²/p, and a
 * variance of about 4n·Var((q−p)/p) + 2·Σ (q/p)². If calls are assigned in turn, counts do not scatter: X² is n·δ, and
 * the measure of the exact test is 2n·Σ q·ln(q/p).
 *
 * @returns Infinity if no difference can be detected, because there is only one endpoint
 */
export function callsForFit(strata: readonly Contrast[]): number {
  const several = strata.filter(({ promised }) => Math.max(...promised) < 1)
  if (several.length === 0) return Number.POSITIVE_INFINITY
  if (!several.some(differs)) {
    const most = Math.max(...several.flatMap(({ promised }) => promised))
    return several.length + Math.floor(Math.log(ALPHA) / Math.log(most)) + 1
  }
  const cells = several.flatMap(({ part, promised, ignored }) =>
    promised.flatMap((p, at) => (p > 0 ? [{ part, p, q: ignored[at] ?? 0 }] : [])),
  )
  const sum = (term: (cell: { part: number; p: number; q: number }) => number) =>
    cells.reduce((total, cell) => total + term(cell), 0)
  const delta = sum(({ part, p, q }) => (part * (q - p) ** 2) / p)
  const divergence = 2 * sum(({ part, p, q }) => (q > 0 ? part * q * Math.log(q / p) : 0))
  const offset = sum(({ p, q }) => (q * (1 - q)) / p)
  const spread = sum(({ part, p, q }) => part * q * ((q - p) / p) ** 2) - delta ** 2
  const noise = 2 * sum(({ p, q }) => (q / p) ** 2)
  const degreesOfFreedom = cells.length - several.length
  const critical = chiSquareCritical(ALPHA, degreesOfFreedom)
  // Counts are whole numbers, so X² of an assignment in turn may be somewhat below n·δ: the stricter alpha compensates
  // for it.
  const inTurn = Math.ceil(chiSquareCritical(ALPHA / 2, degreesOfFreedom) / Math.min(delta, divergence))
  const atRandom = firstWhere(
    (n) => lowerQuantile(n * delta + offset, 4 * n * Math.max(0, spread) + noise) >= critical,
  )
  return Math.max(inTurn, atRandom) + CALLS_TO_SPARE
}

/**
 * The value that X² with this mean and variance exceeds with probability `POWER`: the root of X² is nearly normal
 * (Fisher 1922).
 */
function lowerQuantile(mean: number, variance: number): number {
  const varianceOfRoot = variance / (4 * mean)
  return Math.max(0, Math.sqrt(mean - varianceOfRoot) - NORMAL_QUANTILE * Math.sqrt(varianceOfRoot)) ** 2
}

/**
 * The number of calls needed to detect ignored weights by the largest gap, whether the calls are assigned equally in
 * turn or at random. If the weights are equal: to detect that one endpoint receives all calls.
 *
 * @returns Infinity if no difference can be detected, because there is only one endpoint
 */
export function callsForGap(contrast: Contrast, limit: number): number {
  const most = Math.max(...contrast.promised)
  if (!differs(contrast)) {
    return most >= 1 ? Number.POSITIVE_INFINITY : Math.floor(limit / (1 - most)) + 1
  }
  return firstWhere((n) => isGapInTurn(contrast, n, limit) && powerOfGap(contrast, n, limit) >= POWER)
}

/** Whether n calls assigned in turn by the wrong shares leave a gap above the limit, wherever the turn starts. */
function isGapInTurn({ promised, ignored }: Contrast, n: number, limit: number): boolean {
  return promised.some((p, at) => {
    const count = n * (ignored[at] ?? 0)
    return Math.min(Math.abs(Math.floor(count) - n * p), Math.abs(Math.ceil(count) - n * p)) > limit
  })
}

/**
 * The probability of a gap above the limit when n calls are assigned at random by the wrong shares. The counts depend
 * on each other, so the product over all endpoints would overstate it: the endpoint that is most likely to have a gap
 * is left out of the product. If that endpoint alone is more likely to have a gap than the others together, it decides.
 */
function powerOfGap({ promised, ignored }: Contrast, n: number, limit: number): number {
  const within = promised.map((p, at) => withinBand(n, ignored[at] ?? 0, n * p - limit, n * p + limit))
  const least = Math.min(...within)
  const others = within.reduce((product, probability) => product * probability, 1) / Math.max(least, 1e-300)
  return 1 - Math.min(least, others)
}

/**
 * The probability that the number of calls of an endpoint with share q, of n calls assigned at random, is from `low` to
 * `high`.
 */
function withinBand(n: number, q: number, low: number, high: number): number {
  const from = Math.max(0, Math.ceil(low - 1e-9))
  const to = Math.min(n, Math.floor(high + 1e-9))
  if (q <= 0 || q >= 1) return from <= n * q && n * q <= to ? 1 : 0
  let sum = 0
  for (let count = from; count <= to; count++) {
    const ways = lnFactorial(n) - lnFactorial(count) - lnFactorial(n - count)
    sum += Math.exp(ways + count * Math.log(q) + (n - count) * Math.log1p(-q))
  }
  return sum
}

function differs({ promised, ignored }: Contrast): boolean {
  return promised.some((p, at) => Math.abs(p - (ignored[at] ?? 0)) > 1e-9)
}

/**
 * The smallest n from which the condition holds; Infinity above `MAX_CALLS`. Found by bisection, so if the condition
 * does not hold for some larger n, the result may be a little too small.
 */
function firstWhere(holds: (n: number) => boolean): number {
  let high = 2
  while (!holds(high)) {
    if (high > MAX_CALLS) return Number.POSITIVE_INFINITY
    high *= 2
  }
  let low = high / 2
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}
