import { expect, it } from 'vitest'
import { chiSquareCritical, chiSquareTail, lnFactorial, pearson } from '../../../src/stats/gamma.js'

/** NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4: upper-tail critical values. */
const TAILS = [0.1, 0.05, 0.025, 0.01, 0.001]

it.each([
  [1, [2.706, 3.841, 5.024, 6.635, 10.828]],
  [2, [4.605, 5.991, 7.378, 9.21, 13.816]],
  [4, [7.779, 9.488, 11.143, 13.277, 18.467]],
  [10, [15.987, 18.307, 20.483, 23.209, 29.588]],
  [30, [40.256, 43.773, 46.979, 50.892, 59.703]],
  [100, [118.498, 124.342, 129.561, 135.807, 149.449]],
])('with %d degrees of freedom has the published critical values', (degreesOfFreedom, values) => {
  for (const [at, tail] of TAILS.entries()) {
    const value = values[at] ?? 0
    expect(chiSquareCritical(tail, degreesOfFreedom)).toBeCloseTo(value, 3)
    expect(chiSquareTail(value, degreesOfFreedom) / tail).toBeCloseTo(1, 2)
  }
})

it('equals the closed forms at 2 and 4 degrees of freedom, also far in the tail and with very many', () => {
  for (const x of [0.1, 1, 5, 30, 200]) {
    expect(chiSquareTail(x, 2) / Math.exp(-x / 2)).toBeCloseTo(1, 10)
    expect(chiSquareTail(x, 4) / (Math.exp(-x / 2) * (1 + x / 2))).toBeCloseTo(1, 10)
  }
  expect(chiSquareTail(0, 3)).toBe(1)
  // Nearly normal about its mean: the median is n - 2/3.
  expect(chiSquareTail(100_000 - 2 / 3, 100_000)).toBeCloseTo(0.5, 5)
})

it("Mendel's 315, 108, 101 and 32 peas over 9:3:3:1 have X² = 0.470 and p = 0.925", () => {
  const x = pearson(
    [315, 108, 101, 32],
    [9, 3, 3, 1].map((part) => (part * 556) / 16),
  )
  expect(x).toBeCloseTo(0.47, 3)
  expect(chiSquareTail(x, 3)).toBeCloseTo(0.925, 3)
})

it('factorials are exact for small numbers, at the end of the table and beyond', () => {
  expect(Math.exp(lnFactorial(0))).toBeCloseTo(1, 12)
  expect(Math.exp(lnFactorial(10))).toBeCloseTo(3_628_800, 5)
  expect(lnFactorial(1_024) - lnFactorial(1_023)).toBeCloseTo(Math.log(1_024), 9)
  expect(lnFactorial(1e9)).toBeCloseTo(1e9 * Math.log(1e9) - 1e9 + 0.5 * Math.log(2e9 * Math.PI), 3)
})
