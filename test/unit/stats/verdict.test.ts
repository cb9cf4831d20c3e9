import { describe, expect, it } from 'vitest'
import { type ShareRule, seeded } from '../../../src/policies/index.js'
import { ShareLedger } from '../../../src/stats/share-ledger.js'
import { judge, type Verdict } from '../../../src/stats/verdict.js'
import { PASS } from '../../support/verdicts.js'

type Counts = Readonly<Record<string, number>>

/** One epoch: who was in rotation at which weight, and how often each was picked. */
type Epoch = readonly [weights: Counts, picks: Counts]

function judged(rule: ShareRule, ...epochs: readonly Epoch[]): Verdict {
  const ledger = new ShareLedger()
  for (const [weights, picks] of epochs) {
    ledger.rotate(new Map(Object.entries(weights)))
    for (const [id, times] of Object.entries(picks)) ledger.pick(id, times)
  }
  return judge(ledger, rule, seeded(1))
}

const WEIGHTS = { a: 1, b: 1, c: 1, d: 1, e: 10 }

describe('the run of the reference, 3/2/2/1/2 over the weights 1-1-1-1-10', () => {
  const PICKS = { a: 3, b: 2, c: 2, d: 1, e: 2 }

  it('fails by the exact test with p = 0.0016, and fits an equal split with p = 0.988', () => {
    const verdict = judged('random', [WEIGHTS, PICKS])
    expect(verdict).toMatchObject({ result: 'fail', test: 'exact-multinomial', limit: null })
    expect(verdict.p).toBeCloseTo(0.0016, 4)
    expect(verdict.alternative).toBe('equal split')
    expect(verdict.alternativeP).toBeCloseTo(0.988, 3)
  })

  it('also fails by its gap', () => {
    expect(judged('exact', [WEIGHTS, PICKS])).toMatchObject({
      result: 'fail',
      test: 'max-gap',
      gap: 5.143,
      limit: 2,
      p: null,
      alternative: 'equal split',
      alternativeP: 0.9884,
    })
  })
})

describe('a deterministic policy', () => {
  it('that follows its weights passes after 10 calls, and the document keeps its contract', () => {
    expect(judged('exact', [WEIGHTS, { a: 1, b: 1, c: 1, e: 7 }])).toEqual(PASS)
  })

  it.each([
    [12, 8, 'pass'],
    [13, 7, 'fail'],
  ])('with %d and %d calls of 20 over equal weights is a %s', (a, b, result) => {
    expect(
      judged('exact', [
        { a: 1, b: 1 },
        { a, b },
      ]).result,
    ).toBe(result)
  })
})

describe('a deterministic policy through changes', () => {
  it('may deviate by up to three calls after a leave, which passes the lag of the leaver to the others', () => {
    const first: Epoch = [
      { a: 1, b: 1, c: 1 },
      { a: 10, b: 10, c: 10 },
    ]
    const left = (a: number, b: number): Epoch => [
      { a: 1, b: 1 },
      { a, b },
    ]
    expect(judged('exact', first, left(14, 9))).toMatchObject({ result: 'pass', gap: 2.5, limit: 3 })
    expect(judged('exact', first, left(13, 6))).toMatchObject({ result: 'fail', gap: 3.5, limit: 3 })
    const joined: Epoch = [
      { a: 1, b: 1, c: 1, d: 1 },
      { a: 14, b: 9, c: 11, d: 12 },
    ]
    expect(judged('exact', first, joined)).toMatchObject({ result: 'fail', gap: 2.5, limit: 2 })
  })

  it('has too few calls if the membership changes all the time', () => {
    const epochs = Array.from({ length: 40 }, (_, at): Epoch => {
      const weights: Counts = at % 2 === 0 ? { a: 1, b: 9 } : { a: 1, b: 9, c: 1 }
      return [weights, { b: 2 }]
    })
    const verdict = judged('exact', ...epochs)
    expect(verdict.result).toBe('inconclusive')
    expect(verdict.neededCalls).toBeGreaterThan(2)
    expect(verdict.neededCalls).toBeLessThan(80)
  })
})

describe('a random policy', () => {
  it.each([
    ['pass', { a: 98, b: 95, c: 110, d: 97, e: 1_000 }],
    ['fail', { a: 150, b: 95, c: 110, d: 97, e: 1_000 }],
    ['inconclusive', { a: 1, b: 1, e: 8 }],
  ])('is a %s by chance of such counts', (result, picks) => {
    const verdict = judged('random', [WEIGHTS, picks])
    expect(verdict.result).toBe(result)
    expect(verdict.p ?? 0).toBeLessThanOrEqual(1)
  })

  it('needs the same number of calls however many were made, and passes only with all of them', () => {
    const few = judged('random', [WEIGHTS, { e: 1 }]).neededCalls ?? 0
    expect(judged('random', [WEIGHTS, { a: 71, b: 71, c: 71, d: 71, e: 714 }]).neededCalls).toBe(few)
    const [a, e] = [Math.round(few / 14), few - 4 * Math.round(few / 14)]
    expect(judged('random', [WEIGHTS, { a, b: a, c: a, d: a, e: e - 1 }]).result).toBe('inconclusive')
    expect(judged('random', [WEIGHTS, { a, b: a, c: a, d: a, e }]).result).toBe('pass')
  })

  it('that ignores a weight change fits stale weights, and one that follows it passes', () => {
    const before: Epoch = [
      { a: 1, b: 9 },
      { a: 24, b: 176 },
    ]
    const weights = { a: 8, b: 2 }
    expect(judged('random', before, [weights, { a: 19, b: 181 }])).toMatchObject({
      result: 'fail',
      alternative: 'stale weights',
    })
    expect(judged('random', before, [weights, { a: 161, b: 39 }]).result).toBe('pass')
  })

  it('that splits calls equally fails as an equal split, also if weights were swapped midway', () => {
    const picks = { a: 100, b: 100 }
    expect(judged('random', [{ a: 1, b: 3 }, picks], [{ a: 3, b: 1 }, picks])).toMatchObject({
      result: 'fail',
      alternative: 'equal split',
      alternativeP: 1,
    })
  })

  it('that sends all calls to one endpoint fits pick_first, also with equal weights', () => {
    for (const weights of [{ a: 1, b: 1 }, WEIGHTS]) {
      expect(judged('random', [weights, { a: 40 }])).toMatchObject({
        result: 'fail',
        alternative: 'pick_first',
        alternativeP: 1,
      })
    }
  })

  it('that fits no known policy has no alternative', () => {
    expect(judged('random', [WEIGHTS, { a: 30, b: 60, c: 10, e: 300 }])).toMatchObject({
      result: 'fail',
      alternative: null,
    })
  })

  it('fails by a single pick of an endpoint that was out of rotation', () => {
    expect(
      judged('random', [
        { a: 1, b: 1 },
        { a: 50, b: 50, x: 1 },
      ]),
    ).toMatchObject({ result: 'fail', p: 0 })
  })
})

it('without guaranteed shares is not judged', () => {
  expect(judged('none', [WEIGHTS, { a: 1_000 }])).toMatchObject({
    result: 'not-judged',
    test: null,
    limit: null,
    p: null,
    alternative: null,
    alternativeP: null,
    equalSplitP: null,
    neededCalls: null,
  })
})

it.each(['exact', 'random'] as const)('a run without a call is inconclusive (%s)', (rule) => {
  expect(judged(rule)).toMatchObject({ result: 'inconclusive', gap: 0, neededCalls: null })
  expect(judged(rule, [WEIGHTS, {}])).toMatchObject({ result: 'inconclusive', alternative: null })
})

it.each(['exact', 'random'] as const)('the only endpoint gets every call, and passes (%s)', (rule) => {
  expect(judged(rule, [{ a: 5 }, { a: 1 }])).toMatchObject({ result: 'pass', neededCalls: null })
})
