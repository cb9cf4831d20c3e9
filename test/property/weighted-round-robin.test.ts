import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Chooser } from '../../src/policies/policy.js'
import { weightedRoundRobin } from '../../src/policies/weighted-round-robin.js'
import { chooserOf } from '../support/choosers.js'

/** Upper bound of the rounding error in the sums of shares that the tests compute. */
const ROUNDING = 1e-9

const weight = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000 }))
const weights = fc.array(weight, { minLength: 2, maxLength: 30 })

interface Picked {
  readonly chosen: number
  readonly behind: number
  readonly ahead: number
}

/**
 * A chooser with a model of it: the weights of the members, the picks that each is owed, and picks minus expected picks
 * since the last `forget`. A member that leaves passes the picks that it is owed to the others by weight.
 */
class Watched {
  readonly chooser: Chooser<number> = chooserOf(weightedRoundRobin)
  readonly weights = new Map<number, number>()
  private readonly owed = new Map<number, number>()
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
    const left = this.owed.get(candidate) ?? 0
    this.owed.delete(candidate)
    for (const [other, weight] of this.weights) this.owe(other, (left * weight) / this.total)
  }

  forget(): void {
    this.gaps = new Map()
  }

  private owe(candidate: number, picks: number): number {
    const owed = (this.owed.get(candidate) ?? 0) + picks
    this.owed.set(candidate, owed)
    return owed
  }

  /**
   * Picks once. Checks that the chosen member was owed a pick, and returns the smallest and the largest gap afterwards.
   */
  pick(): Picked {
    const chosen = this.chooser.choose()
    if (chosen === null || !this.weights.has(chosen)) throw new Error(`${chosen} is not in rotation`)
    let behind = 0
    let ahead = 0
    for (const [candidate, weight] of this.weights) {
      const owed = this.owe(candidate, weight / this.total)
      if (candidate === chosen) {
        if (owed <= -ROUNDING) throw new Error(`${chosen} is owed ${owed}`)
        this.owe(chosen, -1)
      }
      const gap = (this.gaps.get(candidate) ?? 0) + (candidate === chosen ? 1 : 0) - weight / this.total
      this.gaps.set(candidate, gap)
      behind = Math.min(behind, gap)
      ahead = Math.max(ahead, gap)
    }
    return { chosen, behind, ahead }
  }
}

function watched(initial: readonly number[]): Watched {
  const rotation = new Watched()
  for (const [candidate, weight] of initial.entries()) rotation.join(candidate, weight)
  return rotation
}

/** The smallest and the largest gap during `picks` picks. */
function extremes(rotation: Watched, picks: number, before?: (pick: number) => void): Omit<Picked, 'chosen'> {
  let [behind, ahead] = [0, 0]
  for (let pick = 0; pick < picks; pick++) {
    before?.(pick)
    const gap = rotation.pick()
    behind = Math.min(behind, gap.behind)
    ahead = Math.max(ahead, gap.ahead)
  }
  return { behind, ahead }
}

it('under any constant weights, no candidate is a whole pick away from its share, at any pick', () => {
  fc.assert(
    fc.property(weights, (initial) => {
      const { behind, ahead } = extremes(watched(initial), 600)
      expect(ahead).toBeLessThan(1 - ROUNDING)
      expect(behind).toBeGreaterThan(-1 + ROUNDING)
    }),
    { numRuns: 200 },
  )
})

/** Every nondecreasing list of `left` weights from `least` to `most`. */
function* rises(left: number, least: number, most: number): Generator<number[]> {
  if (left === 0) yield []
  else
    for (let weight = least; weight <= most; weight++)
      for (const rest of rises(left - 1, weight, most)) yield [weight, ...rest]
}

it.each([
  [2, 30],
  [3, 16],
  [4, 9],
  [6, 5],
])(
  'under all weights of %d candidates up to %d, no candidate is a whole pick away from its share',
  (size, most) => {
    for (const weights of rises(size, 1, most)) {
      const total = weights.reduce((sum, weight) => sum + weight)
      const { behind, ahead } = extremes(watched(weights), total)
      expect({ weights, within: behind > -1 + ROUNDING && ahead < 1 - ROUNDING }).toEqual({
        weights,
        within: true,
      })
    }
  },
)

const PICKS = 500

/** Weight changes before up to a fifth of the picks: the candidate and its new weight. */
function changes(to: fc.Arbitrary<number>) {
  const change = fc.record({ at: fc.nat({ max: PICKS - 1 }), who: fc.nat({ max: 29 }), to })
  return fc.uniqueArray(change, { selector: ({ at }) => at, maxLength: PICKS / 5, size: 'max' })
}

/** The smallest and the largest gap of a run with weight changes. Expected picks are summed pick by pick. */
function runThrough(initial: readonly number[], changes: readonly { at: number; who: number; to: number }[]) {
  const rotation = watched(initial)
  const byPick = new Map(changes.map((change) => [change.at, change]))
  return extremes(rotation, PICKS, (pick) => {
    const change = byPick.get(pick)
    if (change) rotation.reweigh(change.who % initial.length, change.to)
  })
}

it('with deadline order, light candidates are served late, so one falls a pick behind when heavy ones shrink', () => {
  const shrinking = [
    { at: 7, who: 3, to: 2 },
    { at: 8, who: 2, to: 8 },
  ]
  const { behind, ahead } = runThrough([17, 17, 97, 73], shrinking)
  expect(ahead).toBeLessThan(1)
  expect(behind).toBeCloseTo(-1.0975, 4)
})

it('a gap of one pick is unavoidable under any rule if each picked candidate becomes light afterwards', () => {
  const rotation = watched([10, 10, 10, 10])
  for (let pick = 0; pick < 2; pick++) rotation.reweigh(rotation.pick().chosen, 1)
  expect(rotation.pick().behind).toBeCloseTo(-(10 / 40 + 10 / 31 + 10 / 22), 9)
})

/**
 * Limit of the gap in picks. Weights that jump between extremes can make more turns due at once than there are picks.
 * In millions of runs, the largest measured gap was 2.13 picks behind.
 */
const GAP_LIMIT_THROUGH_EXTREMES = 2.5

it('under any weight changes, no candidate is a whole pick ahead, or 2.5 picks behind', () => {
  fc.assert(
    fc.property(weights, changes(weight), (initial, changes) => {
      const { behind, ahead } = runThrough(initial, changes)
      expect(ahead).toBeLessThan(1 + ROUNDING)
      expect(behind).toBeGreaterThan(-GAP_LIMIT_THROUGH_EXTREMES)
    }),
    { numRuns: 120 },
  )
})

const join = fc.record({ kind: fc.constant('join' as const), weight })
const leave = fc.record({ kind: fc.constant('leave' as const), who: fc.nat() })
const pick = fc.record({ kind: fc.constant('pick' as const), times: fc.integer({ min: 1, max: 40 }) })
const steps = (...kinds: fc.Arbitrary<Step>[]) => fc.array(fc.oneof(...kinds), { maxLength: 60, size: 'max' })

type Step =
  | { readonly kind: 'join'; readonly weight: number }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'pick'; readonly times: number }

/** Runs the steps, and checks the gap at every pick since the last join or leave. */
function walk(rotation: Watched, steps: readonly Step[], gapLimit: number): void {
  let joined = rotation.weights.size
  for (const step of steps) {
    if (step.kind === 'join') rotation.join(joined++, step.weight)
    if (step.kind === 'leave') {
      const members = [...rotation.weights.keys()]
      const leaver = members[step.who % Math.max(1, members.length)]
      if (leaver !== undefined) rotation.leave(leaver)
    }
    expect(rotation.chooser.size).toBe(rotation.weights.size)
    if (step.kind !== 'pick') {
      rotation.forget()
      continue
    }
    for (let pick = 0; pick < step.times && rotation.weights.size > 0; pick++) {
      const { behind, ahead } = rotation.pick()
      expect(Math.max(ahead, -behind)).toBeLessThan(gapLimit)
    }
  }
}

it('under any joins, no gap reaches 2 picks while the members stay the same', () => {
  fc.assert(
    fc.property(weights, steps(join, pick, pick), (initial, steps) => walk(watched(initial), steps, 2)),
    { numRuns: 100 },
  )
})

/**
 * Limit of the gap in picks. A leave passes the picks that the leaver is owed to the others, which may then be owed
 * more than one pick. Of 160,000 random walks, four had a gap of 2 or more, the largest 2.19.
 */
const GAP_LIMIT_AFTER_LEAVES = 3

it('under any joins and leaves, only members that are owed picks are chosen, until none is left', () => {
  fc.assert(
    fc.property(weights, steps(join, leave, pick), (initial, steps) => {
      const rotation = watched(initial)
      walk(rotation, steps, GAP_LIMIT_AFTER_LEAVES)
      for (const member of [...rotation.weights.keys()]) rotation.leave(member)
      expect(rotation.chooser.choose()).toBeNull()
    }),
    { numRuns: 200 },
  )
})
