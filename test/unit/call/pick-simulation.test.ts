import { describe, expect, it } from 'vitest'
import { movedKeys, simulatePicks } from '../../../src/call/pick-simulation.js'
import type { RegisteredEndpoint } from '../../../src/grpc/resolver/endpoint.js'
import { toGrpcEndpoints } from '../../../src/grpc/resolver/selection.js'
import { findPolicy } from '../../../src/policies/index.js'
import { endpoint } from '../../support/endpoints.js'

/** Endpoints named by their weights. */
function service(weights: string): RegisteredEndpoint[] {
  const all = weights
    .split('-')
    .map((weight, at) => endpoint({ addr: `10.0.0.${at}:80`, weight: Number(weight) }))
  return toGrpcEndpoints(all, { where: {}, spillOver: false })
}

function plan(policy: string, picks: number, config = {}) {
  return { policy: findPolicy(policy).configure(config), picks, seed: 1 }
}

const picksOf = (endpoints: RegisteredEndpoint[], ...args: Parameters<typeof plan>) =>
  simulatePicks(endpoints, plan(...args)).endpoints.map(({ picks }) => picks)

describe('a pick simulation', () => {
  it('counts the picks of each endpoint, and the expected ones', () => {
    const { endpoints, refused, largestGap } = simulatePicks(service('1-3'), plan('wrr', 8))
    expect(endpoints.map(({ picks, expected }) => [picks, expected])).toEqual([
      [2, 2],
      [6, 6],
    ])
    expect(refused).toBe(0)
    // b-b-a-b: a is behind by half a pick before its own.
    expect(largestGap).toBe(0.5)
  })

  it('finds the largest gap of any endpoint at any moment, also of one that is never picked', () => {
    // a-b-a-b: a is ahead by half a pick after each of its own.
    expect(simulatePicks(service('1-1'), plan('rr', 4)).largestGap).toBe(0.5)
    // After one pick of ten: the heavy one's.
    expect(simulatePicks(service('1-1-1-1-10'), plan('rr', 1)).largestGap).toBe(0.8)
    // pick_first expects nothing, so there is no gap to find.
    expect(simulatePicks(service('1-1'), plan('pick_first', 4)).largestGap).toBeNull()
    // A ring's owner takes all: behind are the others, by all that they should have had.
    expect(simulatePicks(service('1-1'), plan('ring', 10, { key: 'a' })).largestGap).toBe(5)
  })

  it('gives drained endpoints neither picks nor expected picks', () => {
    expect(picksOf(service('0-2'), 'wrr', 4)).toEqual([0, 4])
    const equal = simulatePicks(service('0-2-5'), plan('rr', 4)).endpoints
    expect(equal.map(({ expected }) => expected)).toEqual([0, 2, 2])
  })

  it('refuses every pick in an empty rotation', () => {
    const drained = service('0-1').filter(({ weight }) => weight === 0)
    expect(simulatePicks(drained, plan('wrr', 5))).toMatchObject({
      refused: 5,
      endpoints: [{ picks: 0, expected: 0 }],
    })
    expect(simulatePicks([], plan('wrr', 5))).toEqual({ refused: 5, endpoints: [], largestGap: 0 })
  })

  it('gives each pick a different key under hashing, unless a key is given', () => {
    expect(picksOf(service('1-1-1'), 'ring', 300).every((picks) => picks > 50)).toBe(true)
    expect(picksOf(service('1-1-1'), 'source', 300).every((picks) => picks > 50)).toBe(true)
    const keyed = picksOf(service('1-1-1'), 'ring', 300, { key: 'a' })
    expect(keyed.toSorted((a, b) => a - b)).toEqual([0, 0, 300])
  })
})

describe('keys that move when an endpoint leaves', () => {
  it('are exactly the keys of that endpoint', () => {
    const endpoints = service('1-1-1-1')
    const [leaver] = endpoints
    if (!leaver) throw new Error('four endpoints were made')
    const { keys, moved, own } = movedKeys(endpoints, new Set([leaver]), plan('ring', 2_000))
    expect(keys).toBe(2_000)
    expect(moved).toBe(own)
    expect(moved).toBe(picksOf(endpoints, 'ring', 2_000)[0])
  })
})
