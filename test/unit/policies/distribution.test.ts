import { describe, expect, it } from 'vitest'
import { type Chooser, findPolicy, POLICIES, type PolicyKind, seeded } from '../../../src/policies/index.js'
import { chooserOf } from '../../support/choosers.js'

const PICKS = 7_000

/** So many standard deviations are passed by chance once in 1.7 million; and the seed is fixed. */
const SIGMAS = 5

interface Profile {
  readonly policy: string
  readonly config?: object
  /** What shares follow. `one`: one endpoint gets all picks. */
  readonly follows: 'weights' | 'equal' | 'one'
  /** The allowed difference, in picks, between an endpoint's picks and its share after `picks` picks. */
  bound(picks: number, share: number): number
}

/**
 * A rotation is always less than one pick away from its shares, so a count between two moments is off by less than two.
 * When an endpoint leaves, its lag is shared among the others, which adds less than one.
 */
const rotating = () => 3

/** Picks that are drawn one by one are binomial. */
const drawing = (picks: number, share: number) => SIGMAS * Math.sqrt(picks * share * (1 - share))

/**
 * On a ring the share of an endpoint is the total length of its arcs, of which an endpoint of average weight has at least
 * 256: it is beta distributed. The binomial spread of the test's keys is added.
 */
const hashing = (picks: number, share: number) =>
  drawing(picks, share) + SIGMAS * picks * Math.sqrt((share * (1 - share)) / (3 * 256))

/** Every policy: a policy without a line here fails the test below. */
const PROFILES: readonly Profile[] = [
  { policy: 'weighted_round_robin', follows: 'weights', bound: rotating },
  { policy: 'round_robin', follows: 'equal', bound: rotating },
  { policy: 'random', follows: 'equal', bound: drawing },
  { policy: 'weighted_random', follows: 'weights', bound: drawing },
  // Idle endpoints are level: what remains is the draw by weight.
  { policy: 'least_request', follows: 'weights', bound: drawing },
  { policy: 'least_request', config: { choiceCount: 2 }, follows: 'weights', bound: drawing },
  { policy: 'ring_hash', follows: 'weights', bound: hashing },
  { policy: 'source_hash', follows: 'weights', bound: hashing },
  { policy: 'pick_first', follows: 'one', bound: () => 0 },
  { policy: 'pinned', config: { to: '2' }, follows: 'one', bound: () => 0 },
  { policy: 'pinned', config: { fallback: { wrr: {} } }, follows: 'weights', bound: rotating },
]

it('has a profile for every policy', () => {
  expect([...new Set(PROFILES.map(({ policy }) => policy))].sort()).toEqual(
    POLICIES.map(({ name }) => name).sort(),
  )
})

/** Picks of as many different keys: to a policy that hashes, many calls; to the others, no difference. */
function count(chooser: Chooser<number>, picks = PICKS): Map<number, number> {
  const counts = new Map<number, number>()
  for (let pick = 0; pick < picks; pick++) {
    const chosen = chooser.choose({ hashKey: `key-${pick}`, pin: null })
    if (chosen === null) throw new Error('no candidate was chosen')
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  return counts
}

describe.each(PROFILES)('$policy $config', ({ policy, config = {}, follows, bound }) => {
  /** A deployment: the chooser, and who should be in it. */
  function deploy(weights: Record<number, number>) {
    const chooser = chooserOf<number>(findPolicy(policy), { config })
    const members = new Map(Object.entries(weights).map(([id, weight]) => [Number(id), weight]))
    for (const [id, weight] of members) chooser.join(id, weight)
    return { chooser, members }
  }

  function expectShares({ chooser, members }: ReturnType<typeof deploy>): void {
    const counts = count(chooser)
    expect(chooser.size).toBe(members.size)
    for (const id of counts.keys()) expect(members.has(id), `${id} is in rotation`).toBe(true)
    if (follows === 'one') {
      expect(counts.size).toBe(1)
      return
    }
    const weightOf = (id: number) => (follows === 'weights' ? (members.get(id) ?? 0) : 1)
    const total = [...members.keys()].reduce((sum, id) => sum + weightOf(id), 0)
    for (const id of members.keys()) {
      const share = weightOf(id) / total
      const gap = Math.abs((counts.get(id) ?? 0) - PICKS * share)
      expect(gap, `${id} of ${[...members.values()].join('-')}`).toBeLessThanOrEqual(bound(PICKS, share))
    }
  }

  it.each([
    { 2: 1 },
    { 0: 1, 1: 1, 2: 1 },
    { 0: 1, 1: 1, 2: 1, 3: 1, 4: 10 },
    { 1: 17, 2: 23, 3: 37 },
    { 0: 100, 1: 200, 2: 300, 3: 400 },
  ])('distributes picks by share after a deployment of %j', (weights) => {
    expectShares(deploy(weights))
  })

  it('distributes picks by share when the rotation shrinks and expands', () => {
    const { chooser, members } = deploy({ 0: 1, 1: 2, 2: 3, 3: 4 })
    expectShares({ chooser, members })
    for (const leaver of [0, 3]) {
      chooser.leave(leaver)
      members.delete(leaver)
      expectShares({ chooser, members })
    }
    for (const newcomer of [7, 8, 9]) {
      chooser.join(newcomer, newcomer)
      members.set(newcomer, newcomer)
      expectShares({ chooser, members })
    }
  })

  it('drains: a weight is lowered step by step to zero, and restored', () => {
    const { chooser, members } = deploy({ 0: 8, 1: 8, 2: 8 })
    for (const weight of [4, 1]) {
      chooser.reweigh(0, weight)
      members.set(0, weight)
      expectShares({ chooser, members })
    }
    chooser.leave(0)
    members.delete(0)
    expectShares({ chooser, members })
    chooser.join(0, 8)
    members.set(0, 8)
    expectShares({ chooser, members })
  })

  it('chooses null in an empty rotation, and an endpoint after one joins', () => {
    const { chooser } = deploy({ 2: 5 })
    chooser.leave(2)
    expect(chooser.choose()).toBeNull()
    expect(chooser.size).toBe(0)
    chooser.join(2, 1)
    expect(chooser.choose({ hashKey: 'a', pin: null })).toBe(2)
  })

  it('ignores a leave and a new weight of an unknown candidate', () => {
    const { chooser, members } = deploy({ 0: 1, 1: 2, 2: 3 })
    chooser.leave(9)
    chooser.reweigh(9, 5)
    expectShares({ chooser, members })
  })

  it('repeats its sequence for the same seed', () => {
    const weights = { 0: 1, 1: 1, 2: 1, 3: 1, 4: 10 }
    const sequence = () => {
      const { chooser } = deploy(weights)
      return Array.from({ length: 200 }, (_, at) => chooser.choose({ hashKey: `k${at}`, pin: null }))
    }
    expect(sequence()).toEqual(sequence())
  })
})

/**
 * `exact` promises that no endpoint strays from its share by a whole pick, at any moment, while weights stand. An
 * endpoint is furthest behind just before it is picked, or at the end, and furthest ahead just after.
 */
describe.each(POLICIES.filter(({ shares }) => shares === 'exact'))(
  '$name, which promises exact shares',
  (kind) => {
    it('keeps each endpoint within one pick of its share at every pick', () => {
      const random = seeded(17)
      for (let deployment = 0; deployment < 200; deployment++) {
        const weights = Array.from(
          { length: 1 + Math.floor(random() * 12) },
          () => 1 + Math.floor(random() * 40),
        )
        expect(largestGap(kind, weights), weights.join('-')).toBeLessThan(1)
      }
    })
  },
)

function largestGap(kind: PolicyKind, weights: readonly number[]): number {
  const chooser = chooserOf<number>(kind)
  for (const [id, weight] of weights.entries()) chooser.join(id, weight)
  const counted = kind.weighted ? weights : weights.map(() => 1)
  const total = counted.reduce((sum, weight) => sum + weight, 0)
  const picks = counted.map(() => 0)
  let largest = 0
  for (let pick = 0; pick < 3 * total; pick++) {
    const chosen = chooser.choose()
    if (chosen === null) throw new Error('no endpoint was chosen')
    const share = (counted[chosen] ?? 0) / total
    const before = picks[chosen] ?? 0
    picks[chosen] = before + 1
    largest = Math.max(largest, pick * share - before, before + 1 - (pick + 1) * share)
  }
  // After three whole rounds every endpoint has three times its weight.
  expect(picks).toEqual(counted.map((weight) => 3 * weight))
  return largest
}

/**
 * The first 42 picks among 1-1-1-1-10: three rounds. What changes a golden file changes the rotation of every user.
 * `npm run goldens` writes the file of a new policy.
 */
it.each(POLICIES.map(({ name }) => name))('%s picks the golden sequence', async (name) => {
  const config = name === 'pinned' ? { to: '1' } : {}
  const chooser = chooserOf<number>(findPolicy(name), { config })
  for (const [id, weight] of [1, 1, 1, 1, 10].entries()) chooser.join(id, weight)
  const hashKey = name === 'source_hash' ? null : 'a'
  const keys = Array.from({ length: 42 }, (_, at) => ({ hashKey: hashKey && `key-${at}`, pin: null }))
  const picks = keys.map((key) => chooser.choose(key)).join('')
  await expect(`${picks}\n`).toMatchFileSnapshot(`golden/${name}.txt`)
})
