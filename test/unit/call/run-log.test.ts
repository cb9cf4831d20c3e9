import { expect, it } from 'vitest'
import { RunLog } from '../../../src/call/run-log.js'
import { toGrpcEndpoints } from '../../../src/grpc/resolver/selection.js'
import { endpoint } from '../../support/endpoints.js'

const ENDPOINTS = toGrpcEndpoints(
  ['a:1', 'b:1'].map((addr) => endpoint({ addr })),
  { where: {}, spillOver: false },
)

it('a run keeps a bounded number of rotation changes, and counts the others', () => {
  const log = new RunLog()
  log.rotated(ENDPOINTS.map((one) => ({ endpoint: one, weight: 1, isAway: false })))
  log.begin(performance.now())
  const changes = 5_000
  let callId = 0
  for (let weight = 2; weight < changes + 2; weight++) {
    log.rotated(ENDPOINTS.slice(0, 1).map((one) => ({ endpoint: one, weight, isAway: false })))
    for (const one of ENDPOINTS) {
      log.picked(one, ++callId)
      expect(log.takeEndpoint(callId)).toBe(one)
    }
  }
  const { timeline, ledger, attempts } = log
  expect(timeline.changes).toHaveLength(1_000)
  expect(timeline.changesLeftOut).toBe(changes - 1_000)
  expect(ledger.strata().length).toBeLessThanOrEqual(8)
  expect(attempts.strata().length).toBeLessThanOrEqual(8)
  const picks = [...ledger.tallies().values()].map((tally) => tally.picks)
  expect(picks).toEqual([changes, changes])
  expect(log.takeEndpoint(callId)).toBeUndefined()
})

it('counts a reconnect with its reason, but neither as a change nor as a new membership', () => {
  const [first, second] = ENDPOINTS
  if (!first || !second) throw new Error('there are two')
  const log = new RunLog()
  const pick = (from: number, to: number, ...among: (typeof first)[]) => {
    for (let call = from; call < to; call++) log.picked(among[call % among.length] ?? first, call)
  }
  log.rotated(ENDPOINTS.map((endpoint) => ({ endpoint, weight: 1, isAway: false })))
  log.begin(performance.now())
  pick(0, 100, first, second)
  log.dropped(second, 'GOAWAY NO_ERROR')
  log.rotated([{ endpoint: second, weight: 0, isAway: true }])
  pick(100, 110, first)
  log.failed(second, 'connect ECONNREFUSED 127.0.0.1:1')
  log.connectivity(second, true, null)
  log.rotated([{ endpoint: second, weight: 1, isAway: false }])
  pick(110, 210, first, second)
  expect(log.timeline.changes).toEqual([])
  expect(log.timeline.reconnects).toMatchObject([
    { atCall: 101, reason: 'GOAWAY NO_ERROR, then connection refused', downMs: expect.any(Number) },
  ])
  expect(log.seen.get(second.id)?.reconnects).toEqual({ 'GOAWAY NO_ERROR': 1 })
  expect(log.ledger.longestMembership().get(first.id)).toEqual({ picks: 110, expected: 110, equal: 110 })
  expect(log.ledger.largestGaps()).toEqual({ beforeLeaves: 0, afterLeaves: 0, afterReconnects: 0 })
})
