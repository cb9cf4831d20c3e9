import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change, Update } from '../../src/domain/discovery.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { DiscoError } from '../../src/domain/errors.js'
import { LiveSnapshot } from '../../src/domain/live-snapshot.js'
import { effectiveWeight, ShareTotals, shareWithin, weightsAreUnset } from '../../src/domain/shares.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../src/domain/snapshot.js'
import { rounds } from '../support/effort.js'
import { endpoint, NOT_JSON } from '../support/endpoints.js'

const RUNS = { numRuns: rounds({ quick: 300, long: 3_000 }) }

/** Weights: unset, drained, usual, fractional, and so large or small that a floating-point sum loses the others. */
const weight = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat({ max: 10 }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0.1, 0.2, 0.3, 1e-9, 2 ** 53 - 1, 2 ** 53 - 2, 1e17, Number.MAX_VALUE),
  },
)
const problem = fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constant(NOT_JSON))
const key = fc.constantFrom('/k1', '/k2', '/k3', '/k4')

/** Endpoints of one key: several addresses, repeated addresses, and addresses of another service are possible. */
const endpoints = fc.array(
  fc.record({
    service: fc.constantFrom('hello', 'hello', 'other'),
    addr: fc.constantFrom('a:1', 'b:1'),
    weight,
    problem,
  }),
  { maxLength: 3 },
)
const put = fc.record({ type: fc.constant('put' as const), key, endpoints })
const change = fc.oneof(
  { weight: 3, arbitrary: put },
  fc.record({ type: fc.constant('delete' as const), key }),
)
const changes = fc.array(change, { minLength: 1, maxLength: 4 })

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('changes' as const), changes }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('resync' as const),
      changes: fc.array(change, { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('reset' as const),
      puts: fc.array(put, { maxLength: 5 }),
      source: fc.constantFrom('etcd' as const, 'cache' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stale' as const) }) },
)

type Made<Of> = Of extends fc.Arbitrary<infer Value> ? Value : never
type Put = Made<typeof put>
type Step = Made<typeof step>

function updateOf(made: Step, revision: number): Update {
  const registered = ({ key, endpoints }: Put): Endpoint[] =>
    endpoints.map((fields) => endpoint({ ...fields, key, modRevision: revision }))
  const toChange = (each: Made<typeof change>): Change =>
    each.type === 'delete' ? each : { type: 'put', key: each.key, endpoints: registered(each) }
  switch (made.type) {
    case 'stale':
      return { type: 'stale', sinceMs: revision, cause: new DiscoError('ETCD_UNREACHABLE', 'away') }
    case 'reset': {
      const { source, puts } = made
      return {
        type: 'reset',
        revision,
        source,
        ageMs: source === 'etcd' ? 0 : 5,
        endpoints: puts.flatMap(registered),
      }
    }
    case 'resync':
      return { type: 'resync', revision, missedRevisions: null, changes: made.changes.map(toChange) }
    default: {
      const [first, ...rest] = made.changes.map(toChange)
      if (!first) throw new Error('a revision without a change')
      return { type: 'changes', revision, changes: [first, ...rest] }
    }
  }
}

const contentOf = ({ revision, byKey }: Snapshot) => ({ revision, byKey: [...byKey] })

describe('a live snapshot after any history of updates', () => {
  it('equals the result of `apply`, with the shares of an unchanged list', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const live = new LiveSnapshot()
        let pure: Snapshot = EMPTY_SNAPSHOT
        for (const [at, each] of steps.entries()) {
          const update = updateOf(each, at + 1)
          live.apply(update)
          pure = apply(pure, update)
          expect(contentOf(live)).toEqual(contentOf(pure))
          const all = endpointsOf(pure)
          for (const service of ['hello', 'other']) {
            const own = all.filter((endpoint) => endpoint.service === service)
            expect(own.map((endpoint) => live.shareOf(endpoint))).toEqual(own.map(shareWithin(own)))
          }
        }
      }),
      RUNS,
    )
  })

  it('returns its list as one update, which gives another snapshot the same state and does not change afterwards', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), (before, after) => {
        const live = new LiveSnapshot()
        for (const [at, each] of before.entries()) live.apply(updateOf(each, at + 1))
        const reset = live.reset()
        expect(live.hasNoList).toBe(reset === null)
        expect(live.hasNoList).toBe(before.every(({ type }) => type === 'stale'))
        if (!reset) return
        const kept = structuredClone(reset)
        // A key without endpoints is equivalent to a missing key.
        const held = [...live.byKey].filter(([, endpoints]) => endpoints.length > 0)
        expect([...apply(EMPTY_SNAPSHOT, reset).byKey]).toEqual(held)
        for (const [at, each] of after.entries()) live.apply(updateOf(each, before.length + at + 1))
        expect(reset).toEqual(kept)
      }),
      RUNS,
    )
  })
})

describe('the totals of a service', () => {
  const weighted = fc.record({ weight, problem })

  it('depend only on the present endpoints, not on their order or on removed endpoints', () => {
    const histories = fc.array(fc.record({ endpoint: weighted, leaves: fc.boolean() }), { maxLength: 30 })
    fc.assert(
      fc.property(histories, fc.array(fc.nat()), (history, order) => {
        const totals = new ShareTotals()
        for (const { endpoint } of history) totals.add(endpoint)
        const leavers = history.filter(({ leaves }) => leaves)
        // Endpoints are removed in an order that differs from that of their addition.
        const ranked = leavers.map(({ endpoint }, at) => ({ endpoint, rank: order[at % order.length] ?? 0 }))
        for (const { endpoint } of ranked.sort((a, b) => a.rank - b.rank)) totals.remove(endpoint)
        const present = history.filter(({ leaves }) => !leaves).map(({ endpoint }) => endpoint)
        expect(totals.size).toBe(present.length)
        expect(totals.areUnset).toBe(weightsAreUnset(present))
        const shares = present.map((endpoint) => totals.shareOf(endpoint))
        expect(shares).toEqual(present.map(shareWithin(present)))
        expect(shares).toEqual(present.map(shareWithin([...present].reverse())))
        for (const share of shares) expect(share).toBeLessThanOrEqual(1)
      }),
      RUNS,
    )
  })

  it('give each integer weight exactly its part of the sum, as computed with BigInt', () => {
    const whole = fc.array(fc.record({ weight: fc.oneof(fc.nat({ max: 100 }), fc.maxSafeNat()), problem }), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(whole, (service) => {
        const unset = weightsAreUnset(service)
        const total = service.reduce((sum, each) => sum + BigInt(effectiveWeight(each, unset)), 0n)
        // Number() rounds once, and so does ShareTotals.
        const expected = service.map((each) =>
          total === 0n ? 0 : effectiveWeight(each, unset) / Number(total),
        )
        expect(service.map(shareWithin(service))).toEqual(expected)
      }),
      RUNS,
    )
  })
})
