import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hash32 } from '../../src/policies/hash.js'
import { Ring } from '../../src/policies/ring.js'
import { rounds } from '../support/effort.js'
import { type RingMember, ringOf } from '../support/rings.js'

/** So many keys that their random variation, less than 0.4%, is small compared with that of the ring. */
const KEYS = Array.from({ length: 20_000 }, (_, at) => hash32(`key-${at}`))

/** Weights below 16, so that the median does not pass a power of 16, and few enough members for the limit of points. */
const members = fc
  .array(fc.integer({ min: 1, max: 15 }), { minLength: 2, maxLength: 30 })
  .map((weights) => weights.map((weight, at): RingMember => ({ id: `10.0.0.${at}:80`, weight })))

it('a member that leaves any ring moves only its own keys, within 5% of its share', () => {
  fc.assert(
    fc.property(members, fc.nat(), (before, at) => {
      const leaver = before[at % before.length]
      const [had, have] = [ringOf(before), ringOf(before.filter((member) => member !== leaver))]
      let moved = 0
      for (const key of KEYS) {
        const [from, to] = [had.ownerOf(key), have.ownerOf(key)]
        if (from?.id === to?.id) continue
        expect(from).toBe(leaver)
        moved++
      }
      const total = before.reduce((sum, { weight }) => sum + weight, 0)
      expect(moved / KEYS.length).toBeLessThan((leaver?.weight ?? 0) / total + 0.05)
    }),
    { numRuns: rounds({ quick: 15, long: 60 }) },
  )
})

const step = fc.record({
  who: fc.nat({ max: 40 }),
  /** The new weight; 0 removes the member. */
  weight: fc.oneof(fc.nat({ max: 15 }), fc.nat({ max: 200 })),
  look: fc.boolean(),
})

it('after any history of joins, leaves and weights, keys have the same owners as in a new ring of the same members', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const ring = new Ring<number>()
      const weights = new Map<number, number>()
      for (const { who, weight, look } of steps) {
        if (weight === 0) ring.delete(who)
        else ring.put(who, `10.0.0.${who}:80`, weight)
        weights.delete(who)
        if (weight > 0) weights.set(who, weight)
        if (look) ring.ownerOf(0)
      }
      const anew = ringOf([...weights].map(([who, weight]) => ({ id: `10.0.0.${who}:80`, weight })))
      expect(ring.points).toBe(anew.points)
      for (const key of KEYS.slice(0, 500)) {
        const owner = ring.ownerOf(key)
        expect(owner === null ? undefined : `10.0.0.${owner}:80`).toBe(anew.ownerOf(key)?.id)
      }
    }),
    { numRuns: rounds({ quick: 20, long: 60 }) },
  )
})
