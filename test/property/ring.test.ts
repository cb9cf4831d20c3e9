import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hash32 } from '../../src/policies/hash.js'
import { Ring, type RingMember } from '../../src/policies/ring.js'
import { rounds } from '../support/effort.js'

/** So many that their own scatter, less than 0.4%, is small beside that of the ring. */
const KEYS = Array.from({ length: 20_000 }, (_, at) => hash32(`key-${at}`))

/** Weights below 16, so that the median cannot pass a power of 16, and few enough for the bound of points. */
const members = fc
  .array(fc.integer({ min: 1, max: 15 }), { minLength: 2, maxLength: 30 })
  .map((weights) => weights.map((weight, at): RingMember => ({ id: `10.0.0.${at}:80`, weight })))

it('any membership: who leaves takes its own keys along, within 5% of its share, and no others', () => {
  fc.assert(
    fc.property(members, fc.nat(), (before, at) => {
      const leaver = before[at % before.length]
      const [had, have] = [new Ring(before), new Ring(before.filter((member) => member !== leaver))]
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
