import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ShareLedger } from '../../src/stats/share-ledger.js'
import { largestGap } from '../support/gaps.js'

type Weights = Readonly<Record<string, number>>

const names = ['a', 'b', 'c', 'd', 'e']
const rotation = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 1, max: 50 }), { minKeys: 1 })
const picks = fc.array(fc.constantFrom(...names), { maxLength: 30 })

/** Computes the totals by definition, pick by pick. */
function naive(epochs: readonly { readonly weights: Weights; readonly picks: readonly string[] }[]) {
  const tallies = new Map<string, { picks: number; expected: number }>()
  const gapsAtChanges: number[] = [0]
  let gaps = new Map<string, number>()
  let members = ''
  for (const { weights, picks } of epochs) {
    const total = Object.values(weights).reduce((sum, weight) => sum + weight)
    const now = Object.keys(weights).sort().join()
    gapsAtChanges.push(...gaps.values())
    if (now !== members) gaps = new Map()
    members = now
    for (const picked of picks) {
      for (const name of new Set([picked, ...Object.keys(weights)])) {
        const share = (weights[name] ?? 0) / total
        const pick = name === picked ? 1 : 0
        const tally = tallies.get(name) ?? { picks: 0, expected: 0 }
        tallies.set(name, { picks: tally.picks + pick, expected: tally.expected + share })
        gaps.set(name, (gaps.get(name) ?? 0) + pick - share)
      }
    }
  }
  return { tallies, largestGap: Math.max(...[...gapsAtChanges, ...gaps.values()].map(Math.abs)) }
}

it('the totals and the largest gap at any change equal those of a model that adds share by share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ weights: rotation, picks }), { minLength: 1, maxLength: 8 }),
      (epochs) => {
        const ledger = new ShareLedger()
        for (const epoch of epochs) {
          ledger.rotate(new Map(Object.entries(epoch.weights)))
          for (const name of epoch.picks) ledger.pick(name)
        }
        const model = naive(epochs)
        const tallies = ledger.tallies()
        expect([...tallies.keys()].sort()).toEqual([...model.tallies.keys()].sort())
        for (const [name, { picks, expected }] of model.tallies) {
          expect(tallies.get(name)?.picks).toBe(picks)
          expect(tallies.get(name)?.expected).toBeCloseTo(expected, 9)
        }
        expect(largestGap(ledger)).toBeCloseTo(model.largestGap, 9)
      },
    ),
    { numRuns: 1_000 },
  )
})
