import { describe, expect, it } from 'vitest'
import { seeded } from '../../../src/domain/rng.js'
import { chiSquareTail } from '../../../src/stats/gamma.js'
import { testFit, testRejection } from '../../../src/stats/goodness-of-fit.js'
import { drawnP, unlikeliness } from '../../../src/stats/multinomial.js'
import { possibleStratum, type Stratum } from '../../../src/stats/stratum.js'

/** Counts of one stratum, over weights. */
function over(weights: readonly number[], counts: readonly number[]): Stratum {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const picks = counts.reduce((sum, count) => sum + count, 0)
  return { counts, expected: weights.map((weight) => (picks * weight) / total) }
}

const test = (...strata: Stratum[]) => testFit(strata, seeded(1))

describe('the exact multinomial test', () => {
  it("gives 0.0767 for EMT's example, 5, 2 and 1 over 1:2:1", () => {
    const { test: name, p } = test(over([1, 2, 1], [5, 2, 1]))
    expect(name).toBe('exact-multinomial')
    expect(p).toBeCloseTo(0.0767, 4)
  })

  it('gives 0.0016 and 0.988 for the run of the reference', () => {
    expect(test(over([1, 1, 1, 1, 10], [3, 2, 2, 1, 2])).p).toBeCloseTo(0.0016, 4)
    expect(test(over([1, 1, 1, 1, 1], [3, 2, 2, 1, 2])).p).toBeCloseTo(0.988, 3)
  })

  it('counts every outcome that is equally likely: five heads of five, or five tails', () => {
    expect(test(over([1, 1], [5, 0])).p).toBeCloseTo(2 / 32, 12)
    expect(test(over([1, 1], [3, 2])).p).toBeCloseTo(1, 12)
  })

  it('combines strata: an outcome is a pair of their outcomes', () => {
    // Probabilities 1/9, 4/9 and 4/9 of the first, halves of the second: only (b) is likelier than (a, .).
    const first = over([1, 2], [1, 0])
    expect(test(first).p).toBeCloseTo(1 / 3, 12)
    expect(test(first, over([1, 1], [0, 1])).p).toBeCloseTo(1 / 3, 12)
    expect(test(first, over([1, 2], [1, 0])).p).toBeCloseTo(1 / 9, 12)
    expect(test(first, over([1, 2], [0, 1])).p).toBeCloseTo(5 / 9, 12)
  })

  it('gives 0 for a pick of an endpoint without a share, and 1 if only one endpoint has a share', () => {
    expect(test({ counts: [3, 1], expected: [4, 0] })).toEqual({ test: 'exact-multinomial', p: 0 })
    expect(test({ counts: [4, 0], expected: [4, 0] }).p).toBe(1)
    expect(test().p).toBe(1)
  })
})

describe('chi-square', () => {
  it('replaces the exact test from five expected calls on', () => {
    expect(test(over([1, 1], [5, 5])).test).toBe('chi-square')
    expect(test(over([1, 1], [5, 4])).test).toBe('exact-multinomial')
    expect(test(over([1, 1], [50, 50]), over([1, 1], [5, 4])).test).toBe('exact-multinomial')
  })

  it('adds up X² and degrees of freedom of strata, and a stratum with one endpoint adds none', () => {
    const first = over([1, 1], [60, 40])
    const second = over([1, 1, 1], [20, 30, 40])
    const third = over([1], [1_000])
    expect(test(first).p).toBeCloseTo(chiSquareTail(4, 1), 12)
    expect(test(first, second, third).p).toBeCloseTo(chiSquareTail(4 + 20 / 3, 3), 12)
  })

  it('does not reject by itself, because its approximation would reject more correct runs than alpha', () => {
    const seen = over([1, 1000], [11, 4_994])
    expect(test(seen).test).toBe('chi-square')
    expect(test(seen).p).toBeCloseTo(0.0073, 4)
    // The probability of 11 calls or more where 5 are expected (Poisson).
    const { test: name, p } = testRejection([seen], seeded(1))
    expect(name).toBe('chi-square')
    expect(Math.abs(p - 0.0137)).toBeLessThan(0.003)
    expect(testRejection([over([1, 1000], [12, 9_998])], seeded(1)).p).toBe(
      test(over([1, 1000], [12, 9_998])).p,
    )
    expect(testRejection([over([1, 1000], [20, 4_985])], seeded(1)).p).toBeLessThan(1e-4)
  })
})

describe('sampling, if there are too many outcomes', () => {
  it.each([
    { weights: [1, 1, 1, 1, 10] },
    { weights: [10, 5, 3, 1, 1] },
    { weights: [7, 2, 2, 1] },
    { weights: [1, 50] },
  ])('agrees with the exact test over $weights', ({ weights }) => {
    const counts = weights.map((_, at) => at + 1)
    const stratum = over(weights, counts)
    const possible = possibleStratum(stratum)
    if (!possible) throw new Error('every endpoint has a weight')
    const exact = test(stratum)
    expect(exact.test).toBe('exact-multinomial')
    const drawn = drawnP([possible], unlikeliness, seeded(3))
    expect(Math.abs(drawn - exact.p)).toBeLessThan(0.003 + exact.p / 5)
  })

  it('approximates the exact p, repeats for the same seed, and is never 0', () => {
    const weights = Array.from({ length: 20 }, (_, at) => 1 + at)
    const even = over(
      weights,
      weights.map(() => 3),
    )
    const { test: name, p } = test(even)
    expect(name).toBe('monte-carlo-multinomial')
    expect(test(even).p).toBe(p)
    const all = weights.map((_, at) => (at === 0 ? 60 : 0))
    expect(test(over(weights, all)).p).toBeGreaterThan(0)
    expect(test(over(weights, all)).p).toBeLessThan(0.001)
  })
})
