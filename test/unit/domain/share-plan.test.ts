import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Endpoint, notDialled } from '../../../src/domain/endpoint.js'
import { parseSelector } from '../../../src/domain/selector.js'
import { planShares, readSharePpm, WHOLE_PPM } from '../../../src/domain/share-plan.js'
import { shareWithin } from '../../../src/domain/shares.js'
import { MAX_WEIGHT } from '../../../src/domain/weight.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

const part = (selector: string, percent: number) => ({
  filter: { select: parseSelector(selector), addrs: [], host: null },
  sharePpm: Math.round(percent * 10_000),
})
const old = (port: number, weight: number, fields: Partial<Endpoint> = {}) =>
  endpoint({ addr: `10.0.0.1:${port}`, weight, ...fields })
const canary = (port: number, weight: number, fields: Partial<Endpoint> = {}) =>
  endpoint({ addr: `10.0.0.2:${port}`, version: '2.0.0', weight, ...fields })

/** The planned weights, in the order of the endpoints. */
function weights(service: readonly Endpoint[], ...parts: ReturnType<typeof part>[]): (number | undefined)[] {
  const planned = planShares(service, parts)
  return service.map(({ key }) => planned.get(key))
}

describe('weights that produce the requested shares', () => {
  it.each<[string, Endpoint[], ReturnType<typeof part>[], (number | undefined)[]]>([
    [
      'an equal service, one canary at 5%',
      [old(1, 1), old(2, 1), old(3, 1), old(4, 1), canary(1, 10)],
      [part('version=2.0.0', 5)],
      [19, 19, 19, 19, 4],
    ],
    [
      'relations within each part are kept',
      [old(1, 1), old(2, 3), canary(1, 2), canary(2, 1)],
      [part('version=2.0.0', 25)],
      [9, 27, 8, 4],
    ],
    [
      'a drained one stays drained',
      [old(1, 0), old(2, 1), canary(1, 1)],
      [part('version=2.0.0', 50)],
      [0, 1, 1],
    ],
    [
      'all of a selection drained: equal weights',
      [old(1, 3), canary(1, 0), canary(2, 0)],
      [part('version=2.0.0', 10)],
      [18, 1, 1],
    ],
    [
      'no weights at all: all count as equal',
      [old(1, 0), old(2, 0), canary(1, 0)],
      [part('version=2.0.0', 20)],
      [2, 2, 1],
    ],
    [
      '100%: the others get nothing',
      [old(1, 7), canary(1, 1), canary(2, 2)],
      [part('version=2.0.0', 100)],
      [0, 1, 2],
    ],
    ['0%', [old(1, 7), canary(1, 1)], [part('version=2.0.0', 0)], [7, 0]],
    [
      'the rest keeps at least its weights: beside 9, a canary that registers again with 100 would get most',
      [old(1, 100), canary(1, 100)],
      [part('version=2.0.0', 10)],
      [108, 12],
    ],
    [
      'without a rest, all keep at least theirs',
      [old(1, 100), canary(1, 100)],
      [part('version=1.0.0', 90), part('version=2.0.0', 10)],
      [900, 100],
    ],
    [
      'a share of 100% keeps its weight',
      [old(1, 100), canary(1, 100)],
      [part('version=2.0.0', 100)],
      [0, 100],
    ],
    [
      'two parts that leave a rest',
      [old(1, 1), canary(1, 1), canary(2, 1, { version: '3.0.0' })],
      [part('version=2.0.0', 10), part('version=3.0.0', 20)],
      [7, 1, 2],
    ],
    [
      'shares that stand already: the weights stay',
      [old(1, 30), canary(1, 10)],
      [part('version=2.0.0', 25)],
      [30, 10],
    ],
    [
      'unreadable ones have no part',
      [old(1, 1), old(2, 0, { problem: NOT_JSON }), canary(1, 1)],
      [part('version=2.0.0', 25)],
      [3, undefined, 1],
    ],
  ])('%s', (_, service, parts, expected) => {
    expect(weights(service, ...parts)).toEqual(expected)
  })

  it('count each address of a key', () => {
    const two = [old(1, 1, { key: '/k' }), old(2, 1, { key: '/k' }), canary(1, 1)]
    expect(planShares(two, [part('version=2.0.0', 50)])).toEqual(
      new Map([
        ['/k', 1],
        [two[2]?.key, 2],
      ]),
    )
  })

  it.each([
    [
      'a share over 100%',
      [old(1, 1), canary(1, 1)],
      [part('version=1.0.0', 60), part('version=2.0.0', 50)],
      'USAGE',
    ],
    [
      'an endpoint in two parts',
      [old(1, 1), canary(1, 1)],
      [part('version=2.0.0', 10), part('weight>0', 20)],
      'USAGE',
    ],
    ['a part without endpoints', [old(1, 1)], [part('version=3.0.0', 10)], 'NOT_FOUND'],
    ['no endpoint left for the rest', [canary(1, 1)], [part('version=2.0.0', 10)], 'CONFLICT'],
    ['all others drained', [old(1, 0), canary(1, 1)], [part('version=2.0.0', 10)], 'CONFLICT'],
    [
      'a layout without weights',
      [old(1, 1), canary(1, 1, { layout: 'go-zero' })],
      [part('version=2.0.0', 10)],
      'CONFLICT',
    ],
    [
      'an unreadable one that is selected',
      [old(1, 1), canary(1, 1), canary(2, 0, { problem: NOT_JSON })],
      [part('version=2.0.0', 10)],
      'CONFLICT',
    ],
    [
      'one key in two parts',
      [old(1, 1, { key: '/k' }), canary(1, 1, { key: '/k' })],
      [part('version=2.0.0', 10)],
      'CONFLICT',
    ],
  ])('refuse %s', (_, service, parts, code) => {
    expect(() => planShares(service, parts)).toThrowError(expect.objectContaining({ code }) as Error)
  })

  it('refuse a share for endpoints that gRPC does not dial, and give that as the reason', () => {
    const service = [old(1, 1), canary(1, 1, { problem: notDialled('value has no port') })]
    expect(() => planShares(service, [part('version=2.0.0', 10)])).toThrowError(
      '10% of hello would go to no endpoint: gRPC does not dial the selected ones',
    )
  })

  it('produce every share with a relative error of at most 0.001, keep ratios and drains, and fit into 31 bits', () => {
    const weight = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: MAX_WEIGHT }))
    const arbitrary = fc.record({
      olds: fc.array(weight, { minLength: 1, maxLength: 12 }).filter((all) => all.some((one) => one > 0)),
      news: fc.array(weight, { minLength: 1, maxLength: 12 }),
      ppm: fc.integer({ min: 1, max: WHOLE_PPM - 1 }),
    })
    fc.assert(
      fc.property(arbitrary, ({ olds, news, ppm }) => {
        const service = [
          ...olds.map((one, at) => old(at + 1, one)),
          ...news.map((one, at) => canary(at + 1, one)),
        ]
        const planned = planShares(service, [{ ...part('version=2.0.0', 0), sharePpm: ppm }])
        const after = service.map((one) => ({ ...one, weight: planned.get(one.key) ?? -1 }))
        const shareOf = shareWithin(after)
        const got = after.reduce((sum, one) => sum + (one.version === '2.0.0' ? shareOf(one) : 0), 0)
        const extreme =
          Math.max(...olds, ...news) / Math.min(...[...olds, ...news].filter((one) => one > 0)) > 1e4
        if (!extreme && ppm > 1000 && ppm < WHOLE_PPM - 1000)
          expect(Math.abs(got / (ppm / WHOLE_PPM) - 1)).toBeLessThan(0.002)
        for (const [at, one] of service.entries()) {
          const to = after[at]?.weight ?? -1
          expect(to).toBeGreaterThanOrEqual(0)
          expect(to).toBeLessThanOrEqual(MAX_WEIGHT)
          if (one.version === '1.0.0') expect(to > 0).toBe(one.weight > 0)
        }
      }),
    )
  })
})

describe('a share as text', () => {
  it.each([
    ['5%', 50_000],
    ['0.25%', 2_500],
    ['100%', WHOLE_PPM],
    ['0%', 0],
    ['101%', undefined],
    ['5', undefined],
    ['-5%', undefined],
    ['', undefined],
    ['0.00001%', undefined],
  ])('%j', (text, ppm) => {
    expect(readSharePpm(text)).toBe(ppm)
  })
})
