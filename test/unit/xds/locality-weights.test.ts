import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localityWeights } from '../../../src/xds/locality.js'

describe('locality weights', () => {
  it('equal the registered weights if a client can add them up', () => {
    expect(localityWeights([1, 1, 1, 1, 10])).toEqual([1, 1, 1, 1, 10])
    expect(localityWeights([])).toEqual([])
    expect(localityWeights([2 ** 31 - 1])).toEqual([2 ** 31 - 1])
  })

  it('keep their proportions when they are scaled', () => {
    const [half = 0, one = 0] = localityWeights([0.5, 1.5])
    expect(one / half).toBeCloseTo(3, 6)
    const [few = 0, many = 0] = localityWeights([2 ** 30, 2 ** 31 - 1])
    expect(many / few).toBeCloseTo((2 ** 31 - 1) / 2 ** 30, 6)
  })

  it('raise a very small weight to 1, so that its endpoint can be picked', () => {
    expect(localityWeights([2 ** 31 - 1, 2 ** 31 - 1, 1]).at(-1)).toBe(1)
  })

  it('are integers of at least 1 that sum to less than 2^31, for any registry', () => {
    const weight = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.double({ min: 1e-300, max: Number.MAX_VALUE, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 200 }), (weights) => {
        const scaled = localityWeights(weights)
        expect(scaled).toHaveLength(weights.length)
        expect(scaled.every((one) => Number.isInteger(one) && one >= 1)).toBe(true)
        expect(scaled.reduce((one, other) => one + other, 0)).toBeLessThan(2 ** 31)
      }),
    )
  })
})
