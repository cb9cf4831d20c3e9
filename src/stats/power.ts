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

/** Beyond this many calls a verdict is impractical, and shares that are nearly equal count as equal. */
const MAX_CALLS = 1e12

/** A stratum of a run: shares as fractions, in the same order. */
export interface Contrast {
  /** Its part of the run's calls, from 0 to 1. */
  readonly part: number
  /** The shares by the weights. */
  readonly promised: readonly number[]
  /** The shares if the weights were ignored. */
  readonly ignored: readonly number[]
}

/**
 * The number of calls needed to detect ignored weights by chi-square, or by the exact test that replaces it.
 * If the weights are equal, ignoring them makes no difference: the number is then what rules out that one endpoint
 * receives all calls.
 *
 * Assigned at random by the wrong shares q, X² has the mean n·δ + Σ q(1−q)/p, with δ = Σ (q−p)²/p, and a variance of
 * about 4n·Var((q−p)/p) + 2·Σ (q/p)². Assigned in turn, counts do not scatter: X² is n·δ alone, and the measure of
 * the exact test is 2n·Σ q·ln(q/p).
 *
 * @returns Infinity if no difference can be detected: a single endpoint
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
  // Counts are whole: assignment in turn may fall somewhat short.
  const inTurn = Math.ceil(chiSquareCritical(ALPHA / 2, degreesOfFreedom) / Math.min(delta, divergence))
  const atRandom = firstWhere(
    (n) => lowerQuantile(n * delta + offset, 4 * n * Math.max(0, spread) + noise) >= critical,
  )
  return Math.max(inTurn, atRandom) + CALLS_TO_SPARE
}

/** The value that a variable like X² exceeds with the wanted power: its root is nearly normal (Fisher 1922). */
function lowerQuantile(mean: number, variance: number): number {
  const varianceOfRoot = variance / (4 * mean)
  return Math.max(0, Math.sqrt(mean - varianceOfRoot) - NORMAL_QUANTILE * Math.sqrt(varianceOfRoot)) ** 2
}

/**
 * The number of calls needed to detect, by the largest gap, that weights are ignored: calls assigned equally, in turn
 * or at random. If the weights are equal, that one endpoint receives all calls.
 *
 * @returns Infinity if no difference can be detected: a single endpoint
 */
export function callsForGap(contrast: Contrast, limit: number): number {
  const most = Math.max(...contrast.promised)
  if (!differs(contrast)) {
    return most >= 1 ? Number.POSITIVE_INFINITY : Math.floor(limit / (1 - most)) + 1
  }
  return firstWhere((n) => isGapInTurn(contrast, n, limit) && powerOfGap(contrast, n, limit) >= POWER)
}

/** Whether calls assigned in turn by the wrong shares leave such a gap, at any start of the turn. */
function isGapInTurn({ promised, ignored }: Contrast, n: number, limit: number): boolean {
  return promised.some((p, at) => {
    const count = n * (ignored[at] ?? 0)
    return Math.min(Math.abs(Math.floor(count) - n * p), Math.abs(Math.ceil(count) - n * p)) > limit
  })
}

/**
 * The probability of a gap beyond the limit when calls are assigned at random by the wrong shares; assigned in turn
 * they scatter less. The counts of a multinomial are negatively correlated, so the likeliest endpoint is left out of
 * the product; if it alone is sufficient, it decides.
 */
function powerOfGap({ promised, ignored }: Contrast, n: number, limit: number): number {
  const within = promised.map((p, at) => withinBand(n, ignored[at] ?? 0, n * p - limit, n * p + limit))
  const least = Math.min(...within)
  const others = within.reduce((product, probability) => product * probability, 1) / Math.max(least, 1e-300)
  return 1 - Math.min(least, others)
}

/** The probability that a binomial of n calls at share q falls from `low` to `high`. */
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

/** The least n, up to a step of the condition's own noise, from which the condition holds. */
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
