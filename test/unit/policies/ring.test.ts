import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hash32 } from '../../../src/policies/hash.js'
import { findPolicy } from '../../../src/policies/index.js'
import { chooserOf } from '../../support/choosers.js'
import { type RingMember, ringOf } from '../../support/rings.js'

const KEYS = Array.from({ length: 10_000 }, (_, at) => hash32(`key-${at}`))

function members(weights: readonly number[]): RingMember[] {
  return weights.map((weight, at) => ({ id: `endpoint-${at}`, weight }))
}

/** Who owns each of the keys. */
function owners(of: readonly RingMember[]): (string | undefined)[] {
  const ring = ringOf(of)
  return KEYS.map((key) => ring.ownerOf(key)?.id)
}

/** The keys of which the owner is another, by who had them and who has them. */
function moves(before: readonly RingMember[], after: readonly RingMember[]) {
  const [had, have] = [owners(before), owners(after)]
  return KEYS.flatMap((_, at) => (had[at] === have[at] ? [] : [{ from: had[at], to: have[at] }]))
}

describe('a ring', () => {
  it('is the same for every order of its members', () => {
    const some = members([5, 1, 3, 2])
    expect(owners(some.toReversed())).toEqual(owners(some))
  })

  it('without members has no owner for a key', () => {
    expect(ringOf([]).ownerOf(0)).toBeNull()
  })

  it('has an owner for the first and the last key', () => {
    const ring = ringOf(members([1, 1]))
    expect(ring.ownerOf(0)).not.toBeNull()
    expect(ring.ownerOf(2 ** 32 - 1)).toEqual(ring.ownerOf(0))
  })

  it.each([
    ['ten equal ones', Array.from({ length: 10 }, () => 1), 5_120],
    ['ten equal ones of another weight', Array.from({ length: 10 }, () => 16), 5_120],
    ['the largest weight that does not lower the scale', Array.from({ length: 10 }, () => 15), 76_800],
    ['one of each', [1, 2, 3, 4, 5], 512 * 15],
  ])('has points in proportion to weight: %s', (_, weights, points) => {
    const ring = ringOf(members(weights))
    expect(ring.points).toBe(points)
  })

  it('stays within the limit of points, plus or minus one per member, and has at least one point per member', () => {
    const heavy = members([...Array.from({ length: 50 }, () => 1), 1_000_000])
    expect(ringOf(heavy).points).toBeLessThanOrEqual(262_144 + heavy.length)
    const many = members(Array.from({ length: 5_000 }, () => 3))
    expect(Math.abs(ringOf(many).points - 262_144)).toBeLessThanOrEqual(many.length)
    expect(ringOf(many).points).toBeGreaterThan(5_000)
  })
})

describe('keys on the ring', () => {
  const EQUAL = members(Array.from({ length: 10 }, () => 1))
  const SCENARIO = members([1, 1, 1, 1, 10])

  it.each([
    ['one of ten equal ones', EQUAL, 3, 0.1],
    ['a light one of 1-1-1-1-10', SCENARIO, 0, 1 / 14],
    ['the heavy one of 1-1-1-1-10', SCENARIO, 4, 10 / 14],
  ])('move from a leaver alone: %s', (_, before, leaver, share) => {
    const moved = moves(before, before.toSpliced(leaver, 1))
    for (const { from } of moved) expect(from).toBe(before[leaver]?.id)
    expect(moved.length / KEYS.length).toBeLessThan(share + 0.05)
    expect(moved.length / KEYS.length).toBeGreaterThan(share - 0.05)
  })

  it('move only to a new member, and move back when it leaves', () => {
    const after = [...EQUAL, { id: 'newcomer', weight: 1 }]
    for (const { to } of moves(EQUAL, after)) expect(to).toBe('newcomer')
    expect(moves(EQUAL, after).length / KEYS.length).toBeLessThan(1 / 11 + 0.05)
  })

  it('move to an endpoint whose weight grows, as many as its share gains', () => {
    const after = EQUAL.map((member, at) => (at === 0 ? { ...member, weight: 3 } : member))
    const moved = moves(EQUAL, after)
    for (const { to } of moved) expect(to).toBe('endpoint-0')
    expect(Math.abs(moved.length / KEYS.length - (3 / 12 - 1 / 10))).toBeLessThan(0.05)
  })

  it('do not move between other members when a canary with a tenth of their weight joins', () => {
    const heavy = members(Array.from({ length: 10 }, () => 10))
    const moved = moves(heavy, [...heavy, { id: 'canary', weight: 1 }])
    for (const { to } of moved) expect(to).toBe('canary')
    expect(moved.length / KEYS.length).toBeLessThan(0.02)
  })

  it('beyond the limit of points move only slightly more than those of the leaver', () => {
    const many = members(Array.from({ length: 1_000 }, () => 1))
    expect(moves(many, many.slice(1)).length / KEYS.length).toBeLessThan(1 / 1_000 + 0.01)
  })
})

/** Where 20,000 keys are, as a digest: what changes these moves users' keys with the next release. */
const PLACEMENTS: readonly [name: string, weights: readonly number[], digest: string][] = [
  ['1-1-1-1-10', [1, 1, 1, 1, 10], 'd44b2f98438d1adf'],
  ['30 below 16', Array.from({ length: 30 }, (_, at) => 1 + ((at * 7) % 15)), 'bbdcc09c218cfd5d'],
  ['40 above 100', Array.from({ length: 40 }, (_, at) => 100 + at), '2a847fc34200213d'],
  [
    '10,000, beyond the bound',
    Array.from({ length: 10_000 }, (_, at) => 1 + ((at * 37) % 100)),
    'fdddb70f88a7e3a0',
  ],
]

it.each(PLACEMENTS)('keys among %s have the same owners as in earlier releases', (_, weights, digest) => {
  const id = (at: number) => `/hello/1.0.0/10.0.${at >> 8}.${at & 255}:80`
  const ring = ringOf(weights.map((weight, at) => ({ id: id(at), weight })))
  const hash = createHash('sha256')
  for (let key = 0; key < 20_000; key++) hash.update(`${ring.ownerOf(hash32(`key-${key}`))?.id}\n`)
  expect(hash.digest('hex').slice(0, 16)).toBe(digest)
})

describe('the ring policies', () => {
  it.each(['ring_hash', 'source_hash'])('%s sends a key to the same endpoint, however often', (name) => {
    const chooser = chooserOf<number>(findPolicy(name))
    for (let id = 0; id < 10; id++) chooser.join(id, 1)
    const chosen = Array.from({ length: 50 }, () => chooser.choose({ hashKey: 'alice', pin: null }))
    expect(new Set(chosen).size).toBe(1)
  })

  it.each(['ring_hash', 'source_hash'])('%s: a call’s own key comes before the parameter', (name) => {
    const all = ['alice', 'bob', 'carol', 'dave'].map((key) => {
      const byParameter = chooserOf<number>(findPolicy(name), { config: { key } })
      const byCall = chooserOf<number>(findPolicy(name), { config: { key: 'somebody else' } })
      for (const chooser of [byParameter, byCall]) for (let id = 0; id < 10; id++) chooser.join(id, 1)
      expect(byParameter.choose()).toBe(byCall.choose({ hashKey: key, pin: null }))
      return byParameter.choose()
    })
    expect(new Set(all).size).toBeGreaterThan(1)
  })

  it('source_hash sends all calls of a client to one endpoint, and spreads clients', () => {
    const chosen = Array.from({ length: 100 }, (_, at) => {
      const chooser = chooserOf<number>(findPolicy('source_hash'), { clientKey: `10.0.0.${at}` })
      for (let id = 0; id < 5; id++) chooser.join(id, 1)
      const first = chooser.choose()
      expect(chooser.choose()).toBe(first)
      return first
    })
    expect(new Set(chosen).size).toBe(5)
  })

  it('ring_hash spreads calls without a key', () => {
    const chooser = chooserOf<number>(findPolicy('ring_hash'))
    for (let id = 0; id < 5; id++) chooser.join(id, 1)
    expect(new Set(Array.from({ length: 100 }, () => chooser.choose())).size).toBe(5)
  })
})
