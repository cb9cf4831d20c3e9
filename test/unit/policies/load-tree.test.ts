import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LoadTree } from '../../../src/policies/load-tree.js'

/** The places of the least calls/weight, in order, and their weights. */
function level(loads: ReadonlyMap<number, { calls: number; weight: number }>): [number, number][] {
  const places = [...loads].filter(([, { weight }]) => weight > 0).sort(([a], [b]) => a - b)
  return places
    .filter(([, a]) => places.every(([, b]) => a.calls * b.weight <= b.calls * a.weight))
    .map(([place, { weight }]) => [place, weight])
}

const load = fc.record({
  place: fc.nat({ max: 40 }),
  calls: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 1_000_000 })),
  weight: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 31 - 1 })),
})

it('after any changes, a draw returns exactly the places with the least load, in proportion to their weights', () => {
  fc.assert(
    fc.property(fc.array(load, { maxLength: 120, size: 'max' }), (changes) => {
      const tree = new LoadTree()
      const loads = new Map<number, { calls: number; weight: number }>()
      for (const { place, calls, weight } of changes) {
        tree.set(place, calls, weight)
        loads.set(place, { calls, weight })
        const expected = level(loads)
        const total = expected.reduce((sum, [, weight]) => sum + weight, 0)
        let before = 0
        for (const [place, weight] of expected) {
          // The middle of its part of the line from 0 to the sum of the weights.
          expect(tree.draw(() => (before + weight / 2) / total)).toBe(place)
          before += weight
        }
        if (total === 0) expect(tree.draw(() => 0.5)).toBe(-1)
      }
    }),
  )
})
