import { describe, expect, it } from 'vitest'
import { type ShareRule, seeded } from '../../../src/policies/index.js'
import { ShareLedger } from '../../../src/stats/share-ledger.js'
import { judge, type Verdict } from '../../../src/stats/verdict.js'

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

describe("the source document's own run, 3/2/2/1/2 over the weights 1-1-1-1-10", () => {
  const PICKS = { a: 3, b: 2, c: 2, d: 1, e: 2 }

  it('fails by the exact test with p = 0.0016, and fits an equal split with p = 0.988', () => {
    const verdict = judged('random', [WEIGHTS, PICKS])
    expect(verdict).toMatchObject({ result: 'fail', test: 'exact-multinomial', limit: null })
    expect(verdict.p).toBeCloseTo(0.0016, 4)
    expect(verdict.alternative).toMatchObject({ name: 'equal split' })
    expect(verdict.alternative?.p).toBeCloseTo(0.988, 3)
  })

  it('fails by its gap, too', () => {
    expect(judged('exact', [WEIGHTS, PICKS])).toMatchObject({
      ...{ result: 'fail', test: 'max-gap', gap: 5.143, limit: 2, p: null },
      alternative: { name: 'equal split', p: 0.9884 },
    })
  })
})

describe('a deterministic policy', () => {
  it('that follows its weights passes at 10 calls, by a document that is the contract', () => {
    expect(judged('exact', [WEIGHTS, { a: 1, b: 1, c: 1, e: 7 }])).toEqual({
      ...{ result: 'pass', test: 'max-gap', gap: 0.714, limit: 2, p: null, alternative: null },
      ...{ equalSplitP: 0.00501, neededCalls: 10 },
    })
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
