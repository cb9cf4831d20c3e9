import { expect, it } from 'vitest'
import { RunLog } from '../../../src/call/run-log.js'
import { toGrpcEndpoints } from '../../../src/grpc/resolver/endpoint.js'
import { endpoint } from '../../support/endpoints.js'

const ENDPOINTS = toGrpcEndpoints(
  ['a:1', 'b:1'].map((addr) => endpoint({ addr })),
  { where: {}, spillOver: false },
)

it('what a run keeps has a bound, however often the rotation changes, and what is left out is counted', () => {
  const log = new RunLog()
  log.rotation(new Map(ENDPOINTS.map((one) => [one, 1])))
  log.begin(performance.now())
  const changes = 5_000
  let callId = 0
  for (let weight = 2; weight < changes + 2; weight++) {
    log.rotation(new Map(ENDPOINTS.map((one, at) => [one, at === 0 ? weight : 1])))
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
