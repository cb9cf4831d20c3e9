import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Chooser } from '../../src/policies/policy.js'
import { weightedRoundRobin } from '../../src/policies/weighted-round-robin.js'

/** What a test's own sums of shares may have lost to rounding. */
const ROUNDING = 1e-9

const weight = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000 }))
const weights = fc.array(weight, { minLength: 2, maxLength: 30 })

/** A chooser beside its model: who is in rotation, and picks minus expectation since the last `forget`. */
class Watched {
  readonly chooser: Chooser<number> = weightedRoundRobin.create()
  readonly weights = new Map<number, number>()
  private gaps = new Map<number, number>()
  private total = 0

  join(candidate: number, weight: number): void {
    this.chooser.join(candidate, weight)
    this.weights.set(candidate, weight)
    this.total += weight
  }

  reweigh(candidate: number, weight: number): void {
    this.chooser.reweigh(candidate, weight)
    this.total += weight - (this.weights.get(candidate) ?? 0)
    this.weights.set(candidate, weight)
  }

  leave(candidate: number): void {
    this.chooser.leave(candidate)
    this.total -= this.weights.get(candidate) ?? 0
    this.weights.delete(candidate)
  }

  forget(): void {
    this.gaps = new Map()
  }

  /** One pick; the least and the largest gap after it. */
  pick(): { readonly behind: number; readonly ahead: number } {
    const chosen = this.chooser.choose()
    if (chosen === null || !this.weights.has(chosen)) throw new Error(`${chosen} is not in rotation`)
    let behind = 0
    let ahead = 0
    for (const [candidate, weight] of this.weights) {
      const gap = (this.gaps.get(candidate) ?? 0) + (candidate === chosen ? 1 : 0) - weight / this.total
      this.gaps.set(candidate, gap)
      behind = Math.min(behind, gap)
      ahead = Math.max(ahead, gap)
    }
    return { behind, ahead }
  }
}

function watched(initial: readonly number[]): Watched {
  const rotation = new Watched()
  for (const [candidate, weight] of initial.entries()) rotation.join(candidate, weight)
  return rotation
}

it('any standing weights: nobody is a whole pick away from its share, at any pick', () => {
  fc.assert(
    fc.property(weights, (initial) => {
      const rotation = watched(initial)
      for (let pick = 0; pick < 600; pick++) {
        const { behind, ahead } = rotation.pick()
        expect(ahead).toBeLessThan(1 - ROUNDING)
        expect(behind).toBeGreaterThan(-1 + ROUNDING)
      }
    }),
    { numRuns: 150 },
  )
})

it('any weight changes, before up to a fifth of the picks: nobody is ever a whole pick ahead', () => {
  const change = fc.record({ at: fc.nat({ max: 499 }), who: fc.nat({ max: 29 }), to: weight })
  fc.assert(
    fc.property(weights, fc.array(change, { maxLength: 100, size: 'max' }), (initial, changes) => {
      const rotation = watched(initial)
      for (let pick = 0; pick < 500; pick++) {
        for (const { at, who, to } of changes) if (at === pick) rotation.reweigh(who % initial.length, to)
        expect(rotation.pick().ahead).toBeLessThan(1 + ROUNDING)
      }
    }),
    { numRuns: 150 },
  )
})

it('any joins and leaves: only members are chosen, and no gap of a standing membership reaches 2', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('join' as const), weight }),
    fc.record({ kind: fc.constant('leave' as const), who: fc.nat() }),
    fc.record({ kind: fc.constant('pick' as const), times: fc.integer({ min: 1, max: 40 }) }),
  )
  fc.assert(
    fc.property(weights, fc.array(step, { maxLength: 60, size: 'max' }), (initial, steps) => {
      const rotation = watched(initial)
      let joined = initial.length
      for (const action of steps) {
        if (action.kind === 'join') rotation.join(joined++, action.weight)
        if (action.kind === 'leave') {
          const members = [...rotation.weights.keys()]
          const leaver = members[action.who % Math.max(1, members.length)]
          if (leaver !== undefined) rotation.leave(leaver)
        }
        expect(rotation.chooser.size).toBe(rotation.weights.size)
        if (action.kind !== 'pick') {
          rotation.forget()
          continue
        }
        for (let pick = 0; pick < action.times && rotation.weights.size > 0; pick++) {
          const { behind, ahead } = rotation.pick()
          expect(Math.max(ahead, -behind)).toBeLessThan(2)
        }
      }
      for (const member of [...rotation.weights.keys()]) rotation.leave(member)
      expect(rotation.chooser.choose()).toBeNull()
    }),
    { numRuns: 300 },
  )
})
