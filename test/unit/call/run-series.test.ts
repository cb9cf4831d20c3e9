import { describe, expect, it } from 'vitest'
import type { CallReport } from '../../../src/call/report.js'
import { endpointId } from '../../../src/domain/endpoint.js'
import { endpoint } from '../../support/endpoints.js'
import { recordedRun } from '../../support/recorded-run.js'

const several = (count: number) =>
  Array.from({ length: count }, (_, at) => endpoint({ addr: `10.0.0.${at}:80`, weight: 1 + (at % 5) }))

/** The sums of the series: all of them stand in the report of the whole run as well. */
function sumsOf({ series }: CallReport) {
  const byId = new Map<string, { picks: number; expected: number }>()
  const sums = { calls: 0, errors: 0, latencies: 0, picks: 0, byId }
  for (const { calls, errors, latency, shares } of series?.intervals ?? []) {
    sums.calls += calls
    sums.errors += errors
    sums.latencies += latency.n
    sums.picks += shares.picks
    for (const [id, part] of shares.byId) {
      const own = byId.get(id) ?? { picks: 0, expected: 0 }
      byId.set(id, { picks: own.picks + part.picks, expected: own.expected + part.expected })
    }
  }
  return sums
}

describe('the time series of a run', () => {
  it('adds up to the numbers of the whole run, through weights, leaves, joins and reconnects', () => {
    const report = recordedRun({
      endpoints: several(7),
      calls: 20_000,
      perSecond: 700,
      before: (call, log, [first, second, third]) => {
        if (!first || !second || !third || call % 1_000 !== 0) return
        const at = call / 1_000
        log.rotated([{ endpoint: first, weight: at, isAway: false }])
        log.rotated([{ endpoint: second, weight: at % 2, isAway: false }])
        log.rotated([{ endpoint: third, weight: at % 2 === 0 ? 3 : 0, isAway: at % 2 === 1 }])
      },
    })
    const sums = sumsOf(report)
    expect(report.changes.length).toBeGreaterThan(20)
    expect(sums).toMatchObject({
      calls: report.calls,
      errors: report.calls - report.ok,
      latencies: report.calls,
      picks: report.calls,
    })
    for (const { endpoint, picks, expected } of report.endpoints) {
      const own = sums.byId.get(endpointId(endpoint))
      expect(own?.picks).toBe(picks)
      expect(own?.expected).toBeCloseTo(expected, 6)
    }
  })

  it('lists at most a hundred endpoints, the heaviest ones', () => {
    const report = recordedRun({ endpoints: several(1_000), calls: 5_000, perSecond: 1_000 })
    const { byId, picks } = sumsOf(report)
    expect(byId.size).toBe(100)
    expect(picks).toBe(report.calls)
    const followed = report.endpoints.filter(({ endpoint }) => byId.has(endpointId(endpoint)))
    expect(followed).toHaveLength(100)
    for (const { endpoint, picks, expected } of followed) {
      expect(endpoint.weight).toBe(5)
      expect(byId.get(endpointId(endpoint))?.picks).toBe(picks)
      expect(byId.get(endpointId(endpoint))?.expected).toBeCloseTo(expected, 6)
    }
  })

  it('has the first failure of each status', () => {
    const { series, firstFailure } = recordedRun({
      endpoints: several(2),
      calls: 500,
      perSecond: 100,
      failing: 0.1,
    })
    const { n, addr, details } = series?.firstFailures.get('UNAVAILABLE') ?? {}
    expect({ n, addr, details }).toEqual({
      n: firstFailure?.number,
      addr: firstFailure?.endpoint?.addr,
      details: 'no connection',
    })
  })

  it('has at most 120 intervals, and fewer for few calls', () => {
    const lengths = [10, 600, 30_000].map(
      (calls) => recordedRun({ endpoints: several(2), calls, perSecond: 1_000 }).series?.intervals.length,
    )
    expect(lengths[0]).toBeLessThanOrEqual(10)
    expect(lengths[1]).toBeLessThanOrEqual(12)
    expect(lengths[2]).toBeLessThanOrEqual(120)
    expect(lengths[2]).toBeGreaterThan(50)
  })
})
