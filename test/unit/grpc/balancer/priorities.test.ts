import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FAILOVER_MS, Priorities } from '../../../../src/grpc/balancer/priorities.js'
import { findPolicy, NO_KEYS } from '../../../../src/policies/index.js'
import { type FakeMember, type MemberState, membersOf } from '../../../support/members.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Members under a policy, whose states a test sets. */
function members(policy = 'weighted_round_robin', config: object = {}) {
  const made = new Priorities<FakeMember>(findPolicy(policy).configure(config), () => made.settle())
  const set = (state: MemberState, ...some: readonly FakeMember[]) => {
    for (const member of some) {
      member.state = state
      made.place(member)
    }
    made.settle()
  }
  const pick = (times = 1, keysOf: (at: number) => string | null = () => null) =>
    Array.from(
      { length: times },
      (_, at) => made.chooser.choose({ ...NO_KEYS, hashKey: keysOf(at) })?.name ?? 'none',
    )
  return { made, set, pick }
}

const counts = (names: readonly string[]) => {
  const sums: Record<string, number> = {}
  for (const name of names) sums[name] = (sums[name] ?? 0) + 1
  return sums
}

describe('registries with priorities', () => {
  const of = membersOf('dc1,dc2')
  const [a, b, remote] = [of('dc1', 'a'), of('dc1', 'b'), of('dc2', 'remote')]

  it('send all calls to the first registry until none of its endpoints is READY', () => {
    const { set, pick } = members()
    set('ready', a, b, remote)
    expect(counts(pick(10))).toEqual({ a: 5, b: 5 })
    set('failing', a)
    expect(pick(2)).toEqual(['b', 'b'])
    set('failing', b)
    expect(pick(2)).toEqual(['remote', 'remote'])
    set('ready', b)
    expect(pick(2)).toEqual(['b', 'b'])
  })

  it('wait for the first registry at the start, even if the next one is READY', () => {
    const { set, pick } = members()
    set('coming', a)
    set('ready', remote)
    expect(pick()).toEqual(['none'])
    set('ready', a)
    expect(pick()).toEqual(['a'])
  })

  it('wait for a reconnect at most for the failover time', () => {
    const { made, set, pick } = members()
    set('ready', a, remote)
    set('coming', a)
    expect([pick(), made.size]).toEqual([['none'], 0])
    vi.advanceTimersByTime(FAILOVER_MS - 1)
    expect(pick()).toEqual(['none'])
    set('ready', a)
    set('coming', a)
    vi.advanceTimersByTime(FAILOVER_MS - 1)
    expect(pick()).toEqual(['none'])
    vi.advanceTimersByTime(1)
    expect(pick()).toEqual(['remote'])
    set('ready', a)
    expect(pick()).toEqual(['a'])
  })

  it('do not wait for a better registry that appears while a lower one is in use', () => {
    const { set, pick } = members()
    set('ready', remote)
    set('coming', a)
    expect(pick()).toEqual(['remote'])
  })

  it('skip a registry that is drained or empty', () => {
    const drained = of('dc1', 'drained', 0)
    const { made, set, pick } = members()
    set('ready', drained, remote)
    expect(pick()).toEqual(['remote'])
    made.remove(drained)
    made.settle()
    expect(pick()).toEqual(['remote'])
  })

  it('keep the rotation state of each registry', () => {
    const { set, pick } = members()
    const heavy = of('dc1', 'heavy', 9)
    set('ready', a, heavy, remote)
    const before = pick(7)
    set('failing', a, heavy)
    pick(3)
    set('ready', a, heavy)
    expect(counts([...before, ...pick(3)])).toEqual({ a: 1, heavy: 9 })
  })

  it('report members of a reserve registry as away, and report a spill-over when it begins and ends', () => {
    const { made, set } = members()
    const taken = () =>
      (made.takeChanges(true) ?? []).map((change) => {
        const { endpoint, weight, isAway } = change
        return `${endpoint.registration.addr} ${weight}${isAway ? ' away' : ''}`
      })
    set('ready', a, remote)
    expect(taken().sort()).toEqual(['a 1', 'remote 0 away'])
    set('failing', a)
    expect(taken()).toEqual(['a 0 away', 'remote 1'])
    set('ready', a)
    expect(taken()).toEqual(['remote 0 away', 'a 1'])
    expect(made.takeChanges(true)).toBeNull()
  })

  it('leave no timer running', () => {
    const { made, set } = members()
    set('ready', a, remote)
    set('coming', a)
    expect(vi.getTimerCount()).toBe(1)
    made.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are all available to a pinned call', () => {
    const { made, set } = members('pinned')
    set('ready', a, remote)
    expect(made.chooser.choose({ hashKey: null, pin: 'remote' })?.name).toBe('remote')
  })
})

describe('registries with a ratio', () => {
  const of = membersOf('dc1=80,dc2=20')
  const [a, b, c] = [of('dc1', 'a', 3), of('dc1', 'b', 1), of('dc2', 'c', 50)]

  it.each(['weighted_round_robin', 'round_robin', 'least_request', 'pick_first'])(
    'keep it under %s, however many of their endpoints are READY',
    (policy) => {
      const { set, pick } = members(policy)
      set('ready', a, b, c)
      expect(counts(pick(1_000)).c).toBe(200)
      set('failing', b)
      const { a: local, c: other } = counts(pick(1_000))
      expect([local, other]).toEqual([800, 200])
    },
  )

  it('give each endpoint its weight within its registry', () => {
    const { set, pick } = members()
    set('ready', a, b, c)
    expect(counts(pick(100))).toEqual({ a: 60, b: 20, c: 20 })
  })

  it('send all calls to the other registry if one has no READY endpoint, and use the ratio again afterwards', () => {
    const { set, pick } = members()
    set('ready', a, b, c)
    set('failing', a, b)
    expect(pick(2)).toEqual(['c', 'c'])
    set('ready', a)
    expect(counts(pick(100)).c).toBe(20)
  })

  it('send calls with the same key to the same endpoint, and distribute keys by the ratio', () => {
    const { set, pick } = members('ring_hash')
    set('ready', a, b, c)
    const keyed = (at: number) => `key-${at}`
    const first = pick(5_000, keyed)
    expect(pick(5_000, keyed)).toEqual(first)
    expect(Math.abs((counts(first).c ?? 0) / 5_000 - 0.2)).toBeLessThan(0.03)
    set('failing', c)
    const without = pick(5_000, keyed)
    expect(without.filter((name, at) => name !== first[at] && first[at] !== 'c')).toEqual([])
  })

  it('report weights that are comparable across all registries', () => {
    const { made, set } = members()
    set('ready', a)
    made.takeChanges(true)
    set('ready', b, c)
    const shares = (made.takeChanges(true) ?? []).map(
      ({ endpoint, shareWeight }) => `${endpoint.registration.addr} ${shareWeight}`,
    )
    expect(shares).toEqual(['a 60', 'b 20', 'c 20'])
    set('failing', b)
    expect((made.takeChanges(true) ?? []).map(({ weight, shareWeight }) => [weight, shareWeight])).toEqual([
      [0, undefined],
      [3, 80],
    ])
  })
})

it('use the chooser of the rotation itself if there is one registry', () => {
  const made = new Priorities<FakeMember>(findPolicy('round_robin').configure({}), () => undefined)
  const member = membersOf('dc1')('dc1', 'a')
  member.state = 'ready'
  made.place(member)
  expect(made.settle()).toBe(true)
  const { chooser } = made
  expect(chooser.constructor.name).not.toMatch(/Ratio|Level/)
  expect(made.settle()).toBe(false)
  expect(made.chooser).toBe(chooser)
})
