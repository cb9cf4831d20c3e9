import type { Rng } from '../domain/rng.js'
import { lnFactorial } from './gamma.js'

/** Inversion takes about n x p steps. From this value of n x p on, rejection is faster. */
const INVERSION_BELOW = 10

/**
 * Returns a function that draws the numbers of calls of the endpoints, with n calls assigned independently by these
 * shares. The function returns the same array each time.
 *
 * @param shares sum to 1, each above 0
 */
export function multinomialSampler(n: number, shares: readonly number[], rng: Rng): () => ArrayLike<number> {
  const counts = new Uint32Array(shares.length)
  if (n <= 4 * shares.length) return () => dealOneByOne(counts, n, cumulative(shares), rng)
  return () => dealByEndpoint(counts, n, shares, rng)
}

/** Draws endpoint by endpoint: the number of calls is binomial, out of the remaining calls and the remaining share. */
function dealByEndpoint(counts: Uint32Array, n: number, shares: readonly number[], rng: Rng): Uint32Array {
  let left = n
  let shareLeft = 1
  for (const [at, share] of shares.entries()) {
    // Because of rounding, `shareLeft` may be slightly less than the last share.
    const isRest = at === shares.length - 1 || share >= shareLeft
    const count = isRest ? left : binomial(left, share / shareLeft, rng)
    counts[at] = count
    left -= count
    shareLeft -= share
  }
  return counts
}

/** Draws the endpoint of each call. @param upTo cumulative shares */
function dealOneByOne(counts: Uint32Array, n: number, upTo: Float64Array, rng: Rng): Uint32Array {
  counts.fill(0)
  for (let call = 0; call < n; call++) {
    const point = rng()
    let low = 0
    let high = upTo.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? 1) > point) high = middle
      else low = middle + 1
    }
    counts[low] = (counts[low] ?? 0) + 1
  }
  return counts
}

function cumulative(shares: readonly number[]): Float64Array {
  let sum = 0
  return Float64Array.from(shares, (share) => {
    sum += share
    return sum
  })
}

/** Draws the number of successes in n calls, each with probability p. */
export function binomial(n: number, p: number, rng: Rng): number {
  if (p > 0.5) return n - binomial(n, 1 - p, rng)
  if (n === 0 || p <= 0) return 0
  return n * p < INVERSION_BELOW ? byInversion(n, p, rng) : byRejection(n, p, rng)
}

function byInversion(n: number, p: number, rng: Rng): number {
  const odds = p / (1 - p)
  for (;;) {
    let probability = (1 - p) ** n
    let left = rng()
    for (let count = 0; count <= n; count++) {
      if (left < probability) return count
      left -= probability
      probability *= ((n - count) / (count + 1)) * odds
    }
    // Because of rounding, the probabilities may sum to less than 1: draw again.
  }
}

/** Transformed rejection, algorithm BTRS (Hörmann 1993, "The generation of binomial random variates"). */
function byRejection(n: number, p: number, rng: Rng): number {
  const deviation = Math.sqrt(n * p * (1 - p))
  const b = 1.15 + 2.53 * deviation
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const center = n * p + 0.5
  const inside = 0.92 - 4.2 / b
  const alpha = (2.83 + 5.1 / b) * deviation
  const mode = Math.floor((n + 1) * p)
  const logOdds = Math.log(p / (1 - p))
  const atMode = lnFactorial(mode) + lnFactorial(n - mode)
  for (;;) {
    const u = rng() - 0.5
    let v = rng()
    const distance = 0.5 - Math.abs(u)
    const count = Math.floor(((2 * a) / distance + b) * u + center)
    if (distance >= 0.07 && v <= inside) return count
    if (count < 0 || count > n) continue
    v *= alpha / (a / (distance * distance) + b)
    const height = atMode - lnFactorial(count) - lnFactorial(n - count) + (count - mode) * logOdds
    if (Math.log(v) <= height) return count
  }
}
