import { expect, it } from 'vitest'
import { seeded } from '../../../src/domain/rng.js'
import { chiSquareTail, lnFactorial } from '../../../src/stats/gamma.js'
import { binomial, multinomialSampler } from '../../../src/stats/sampling.js'

const DRAWS = 50_000

/** Whether so many counts of each outcome are likely where these were expected; rare outcomes count as one. */
function fits(seen: ReadonlyMap<number, number>, expectedOf: (outcome: number) => number, most: number) {
  let [x, cells, rest, restExpected] = [0, 0, 0, 0]
  for (let outcome = 0; outcome <= most; outcome++) {
    const count = seen.get(outcome) ?? 0
    const expected = expectedOf(outcome)
    if (expected < 5) {
      rest += count
      restExpected += expected
      continue
    }
    x += (count - expected) ** 2 / expected
    cells++
  }
  x += (rest - restExpected) ** 2 / Math.max(1, restExpected)
  return chiSquareTail(x, cells)
}

it.each([
  [1, 0.5],
  [7, 0.9],
  [30, 0.1],
  [36, 0.5],
  [73, 0.58],
  [100, 0.05],
  [1_000, 0.011],
  [1_000, 0.3],
])('draws binomials of %d calls at %d with the right distribution', (n, p) => {
  const rng = seeded(5)
  const seen = new Map<number, number>()
  for (let draw = 0; draw < DRAWS; draw++) {
    const count = binomial(n, p, rng)
    seen.set(count, (seen.get(count) ?? 0) + 1)
  }
  const ways = (count: number) => lnFactorial(n) - lnFactorial(count) - lnFactorial(n - count)
  const expected = (count: number) =>
    DRAWS * Math.exp(ways(count) + count * Math.log(p) + (n - count) * Math.log1p(-p))
  expect(fits(seen, expected, n)).toBeGreaterThan(0.001)
})

it.each([
  [3, [0.5, 0.3, 0.1, 0.1]],
  [73, [7 / 12, 2 / 12, 2 / 12, 1 / 12]],
  [400, [0.01, 0.09, 0.9]],
])('distributes all of %d calls by share, for any order of shares', (n, shares) => {
  const draw = multinomialSampler(n, shares, seeded(7))
  const sums = shares.map(() => 0)
  for (let round = 0; round < DRAWS; round++) {
    const counts = Array.from(draw())
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(n)
    for (const [at, count] of counts.entries()) sums[at] = (sums[at] ?? 0) + count
  }
  for (const [at, share] of shares.entries()) {
    const deviation = Math.sqrt(DRAWS * n * share * (1 - share))
    expect(Math.abs((sums[at] ?? 0) - DRAWS * n * share)).toBeLessThan(4 * deviation)
  }
})
