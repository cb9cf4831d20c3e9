import { gammaQ } from './gamma.js'

/** The probability that a chi-square variable with so many degrees of freedom is at least x. */
export function chiSquareTail(x: number, degreesOfFreedom: number): number {
  return gammaQ(degreesOfFreedom / 2, x / 2)
}

/** The value that such a variable passes with this probability. */
export function chiSquareCritical(tail: number, degreesOfFreedom: number): number {
  let low = 0
  let high = degreesOfFreedom + 1
  while (chiSquareTail(high, degreesOfFreedom) > tail) high *= 2
  // Halving a double's range so often leaves nothing to halve.
  for (let step = 0; step < 64; step++) {
    const middle = (low + high) / 2
    if (chiSquareTail(middle, degreesOfFreedom) > tail) low = middle
    else high = middle
  }
  return high
}

/** Pearson's X² of counts against what was expected, each above 0. */
export function pearson(counts: ArrayLike<number>, expected: readonly number[]): number {
  let sum = 0
  for (const [at, wanted] of expected.entries()) sum += ((counts[at] ?? 0) - wanted) ** 2 / wanted
  return sum
}
