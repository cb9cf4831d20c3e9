import { describe, expect, it } from 'vitest'
import { effectiveWeight, ShareTotals, shareFractions, weightsAreUnset } from '../../../src/domain/shares.js'
import { NOT_JSON } from '../../support/endpoints.js'

const usable = (...weights: number[]) => weights.map((weight) => ({ weight, problem: null }))
const broken = { weight: 0, problem: NOT_JSON }

describe('weightsAreUnset', () => {
  it('is true if every usable endpoint has weight 0', () => {
    expect(weightsAreUnset(usable(0, 0))).toBe(true)
    expect(weightsAreUnset([...usable(0), broken])).toBe(true)
  })

  it('is false if one endpoint has a weight: then 0 means drained', () => {
    expect(weightsAreUnset(usable(0, 1))).toBe(false)
  })

  it('is false without usable endpoints', () => {
    expect(weightsAreUnset([])).toBe(false)
    expect(weightsAreUnset([broken])).toBe(false)
  })

  it('ignores the weight of an unusable endpoint', () => {
    expect(weightsAreUnset([...usable(0), { ...broken, weight: 5 }])).toBe(true)
  })
})

describe('effectiveWeight', () => {
  it('is the registered weight, 1 if weights are unset, 0 if the endpoint is unusable', () => {
    const [five = broken] = usable(5)
    const [zero = broken] = usable(0)
    expect(effectiveWeight(five, false)).toBe(5)
    expect(effectiveWeight(zero, false)).toBe(0)
    expect(effectiveWeight(zero, true)).toBe(1)
    expect(effectiveWeight({ ...broken, weight: 5 }, false)).toBe(0)
    expect(effectiveWeight(broken, true)).toBe(0)
  })
})

describe('shareFractions', () => {
  it.each([
    ['by weight', usable(1, 1, 1, 1, 10), [1 / 14, 1 / 14, 1 / 14, 1 / 14, 10 / 14]],
    ['with a drained one', usable(0, 3, 1), [0, 0.75, 0.25]],
    ['equal where weights are unset', usable(0, 0, 0, 0), [0.25, 0.25, 0.25, 0.25]],
    ['without the unusable one', [broken, ...usable(1, 1)], [0, 0.5, 0.5]],
    ['equal, without the unusable one', [broken, ...usable(0, 0)], [0, 0.5, 0.5]],
    ['nothing where nothing is usable', [broken], [0]],
    ['of no endpoints', [], []],
  ])('%s', (_, service, shares) => {
    expect(shareFractions(service)).toEqual(shares)
  })
})

describe('ShareTotals', () => {
  /** The totals of `stays` after all of them came, and the others came and went. */
  function totalsAfter(stays: readonly number[], leaves: readonly number[]): ShareTotals {
    const totals = new ShareTotals()
    for (const endpoint of usable(...leaves, ...stays)) totals.add(endpoint)
    for (const endpoint of usable(...leaves)) totals.remove(endpoint)
    return totals
  }

  it.each([
    ['of fractions', [0.1, 0.2], [0.3, 0.7, 1e-9]],
    ['of a small weight beside a large one that left', [1, 1], [2 ** 53 - 1, 2 ** 53 - 1]],
    ['of a fraction beside the largest number', [0.5], [Number.MAX_VALUE, Number.MAX_VALUE]],
    ['of nothing but drained endpoints, where weights are unset again', [0, 0], [0.1, 0.2]],
  ])('have no trace of endpoints that left: shares %s', (_, stays, leaves) => {
    const totals = totalsAfter(stays, leaves)
    expect(usable(...stays).map((endpoint) => totals.shareOf(endpoint))).toEqual(
      shareFractions(usable(...stays)),
    )
  })

  it('compute shares of the largest possible weights', () => {
    const [endpoint = broken] = usable(Number.MAX_VALUE)
    expect(totalsAfter([Number.MAX_VALUE, Number.MAX_VALUE], []).shareOf(endpoint)).toBe(0.5)
    expect(shareFractions(usable(Number.MAX_VALUE, Number.MAX_VALUE))).toEqual([0.5, 0.5])
  })

  it('follow an endpoint that becomes unusable, and usable again', () => {
    const totals = totalsAfter([2, 3], [])
    const [two = broken] = usable(2)
    totals.remove(two)
    totals.add({ ...two, problem: NOT_JSON })
    expect(usable(3).map((three) => totals.shareOf(three))).toEqual([1])
    expect(totals.shareOf({ ...two, problem: NOT_JSON })).toBe(0)
    totals.remove({ ...two, problem: NOT_JSON })
    totals.add(two)
    expect(totals.shareOf(two)).toBe(0.4)
  })
})
