import type { Rng } from '../domain/rng.js'
import { lnFactorial } from './gamma.js'
import { multinomialSampler } from './sampling.js'
import type { PossibleStratum } from './stratum.js'

/** Outcomes whose log probabilities differ by less than this count as equally likely. It exceeds rounding errors. */
const SAME_LOG_PROBABILITY = 1e-9

/** Maximum number of outcomes to enumerate: more would take noticeable time. */
const MAX_OUTCOMES = 300_000

/** Maximum number of draws. The standard error of a p of 0.01 is then less than 0.001. */
const MAX_DRAWS = 20_000

/** Limit of steps for all draws, about a second: large runs use fewer draws. */
const MAX_WORK = 4_000_000

/**
 * Minimum number of draws. At a p of alpha, 20 hits would be expected: with one hit or none, p is clearly below alpha.
 */
const MIN_DRAWS = 2_000

/** Draws stop at this many hits: the standard error of p is then a tenth of p. */
const ENOUGH_HITS = 100

/**
 * The exact multinomial test, ordered by probability: the sum of the probabilities of all outcomes that are no more
 * likely than the observed one. Strata are independent, so an outcome combines one outcome of each stratum.
 *
 * @returns null if there are too many outcomes
 */
export function exactMultinomial(strata: readonly PossibleStratum[]): number | null {
  return countOutcomes(strata) > MAX_OUTCOMES ? null : exactP(strata)
}

/**
 * The probability that random picks with these shares score at least as high as the observed ones. Draws until the
 * estimate is precise enough (Besag and Clifford 1991). With p = (hits + 1) / (draws + 1), at most alpha of the correct
 * runs are rejected at any number of draws (Davison and Hinkley 1997, 4.2).
 *
 * @param score higher for less likely counts; the scores of the strata add up
 */
export function drawnP(
  strata: readonly PossibleStratum[],
  score: (counts: ArrayLike<number>, stratum: PossibleStratum) => number,
  rng: Rng,
): number {
  const total = (counts: (stratum: PossibleStratum, at: number) => ArrayLike<number>) =>
    strata.reduce((sum, stratum, at) => sum + score(counts(stratum, at), stratum), 0)
  const limit = total(({ counts }) => counts) - SAME_LOG_PROBABILITY
  const samplers = strata.map(({ picks, shares }) => multinomialSampler(picks, shares, rng))
  const draws = Math.min(MAX_DRAWS, Math.max(MIN_DRAWS, Math.floor(MAX_WORK / workOfDraw(strata))))
  let hits = 0
  for (let drawn = 1; drawn <= draws; drawn++) {
    if (total((_, at) => samplers[at]?.() ?? []) >= limit) hits++
    if (hits === ENOUGH_HITS) return hits / drawn
    if (drawn === MIN_DRAWS && hits <= 1) return (hits + 1) / (drawn + 1)
  }
  return (hits + 1) / (draws + 1)
}

/**
 * The improbability of counts: the negative logarithm of their probability, without the terms that all counts share.
 */
export function unlikeliness(counts: ArrayLike<number>, { shares }: PossibleStratum): number {
  let sum = 0
  for (const [at, share] of shares.entries()) {
    const count = counts[at] ?? 0
    if (count > 0) sum += lnFactorial(count) - count * Math.log(share)
  }
  return sum
}

/**
 * The number of ways to assign the picks of all strata to their endpoints. Above `MAX_OUTCOMES`, some number above that
 * limit.
 */
function countOutcomes(strata: readonly PossibleStratum[]): number {
  let ways = 1
  for (const { picks, shares } of strata) {
    for (let cell = 1; cell < shares.length && ways <= MAX_OUTCOMES; cell++) {
      ways = (ways * (picks + cell)) / cell
    }
  }
  return ways
}

/** The number of steps of one draw. */
function workOfDraw(strata: readonly PossibleStratum[]): number {
  return strata.reduce((sum, { picks, shares }) => sum + Math.min(picks, 4 * shares.length), 1)
}

function exactP(strata: readonly PossibleStratum[]): number {
  const limit =
    strata.reduce((sum, stratum) => sum + unlikeliness(stratum.counts, stratum), 0) - SAME_LOG_PROBABILITY
  const possible = strata.reduce((sum, { picks }) => sum + lnFactorial(picks), 0)
  const logShares = strata.map(({ shares }) => shares.map(Math.log))
  let p = 0
  /** Assigns the remaining picks of a stratum to its endpoints from `cell` on, then the following strata. */
  const enumerate = (at: number, cell: number, left: number, soFar: number): void => {
    const logs = logShares[at]
    if (logs === undefined) {
      if (soFar >= limit) p += Math.exp(possible - soFar)
      return
    }
    const log = logs[cell] ?? 0
    if (cell === logs.length - 1) {
      enumerate(at + 1, 0, strata[at + 1]?.picks ?? 0, soFar + lnFactorial(left) - left * log)
      return
    }
    for (let count = 0; count <= left; count++) {
      enumerate(at, cell + 1, left - count, soFar + lnFactorial(count) - count * log)
    }
  }
  enumerate(0, 0, strata[0]?.picks ?? 0, 0)
  return Math.min(1, p)
}
