import { serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from '../../../src/stats/latency.js'

/** 1, 2, … n ms, in an order that is not sorted. */
const upTo = (n: number) => Array.from({ length: n }, (_, at) => ((at * 7919) % n) + 1)
const summaryOf = (latenciesMs: readonly number[]) => LatencyHistogram.of(latenciesMs).summary()

describe('a latency summary', () => {
  it.each([
    [0, { n: 0, p50: null, p95: null, p99: null, max: null }],
    [1, { n: 1, p50: null, p95: null, p99: null, max: 1 }],
    [2, { n: 2, p50: 1, p95: null, p99: null, max: 2 }],
    [19, { n: 19, p50: 10, p95: null, p99: null, max: 19 }],
    [20, { n: 20, p50: 10, p95: 19, p99: null, max: 20 }],
    [99, { n: 99, p50: 50, p95: 95, p99: null, max: 99 }],
    [100, { n: 100, p50: 50, p95: 95, p99: 99, max: 100 }],
    [1_000, { n: 1_000, p50: 500, p95: 950, p99: 990, max: 1_000 }],
  ])('of %d calls has no percentiles that need more calls', (n, wanted) => {
    const summary = summaryOf(upTo(n))
    expect(summary).toMatchObject({ n, max: wanted.max })
    for (const percentile of ['p50', 'p95', 'p99'] as const) {
      const exact = wanted[percentile]
      if (exact === null) expect(summary[percentile]).toBeNull()
      else expect(Math.abs((summary[percentile] ?? 0) / exact - 1)).toBeLessThan(0.001)
    }
  })

  it('rounds to the microsecond', () => {
    expect(summaryOf([1.23456, 1.23456])).toMatchObject({ p50: 1.235, max: 1.235 })
  })

  it('has an error of at most 0.1 % or half a microsecond, and is never too low, for any latencies', () => {
    const latency = fc.double({ min: 0, max: 4_000_000, noNaN: true })
    fc.assert(
      fc.property(fc.array(latency, { minLength: 2, maxLength: 300 }), (latencies) => {
        const sorted = latencies.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0
        const { p50 } = summaryOf(latencies)
        expect(p50).toBeGreaterThanOrEqual(exact - 0.00051)
        expect(p50).toBeLessThanOrEqual(exact * 1.001 + 0.00151)
      }),
    )
  })

  it('of two merged histograms is that of all their latencies', () => {
    const together = LatencyHistogram.of([1, 2, 3000])
    together.add(LatencyHistogram.of([0, 4, 50_000]))
    expect(together.summary()).toEqual(summaryOf([1, 2, 3000, 0, 4, 50_000]))
  })

  it('accepts latencies beyond the last bucket, and keeps the maximum', () => {
    expect(summaryOf([1e9, 1e9, 1])).toMatchObject({ n: 3, max: 1e9 })
  })
})

describe('a histogram of few latencies', () => {
  it('uses less than 1 KiB, while an octave uses 4, because a service may have ten thousand endpoints', () => {
    for (const calls of [0, 1, 64]) {
      expect(serialize(LatencyHistogram.of(upTo(calls))).byteLength).toBeLessThan(1_024)
    }
  })

  it('has the same percentiles and bands as a full histogram', () => {
    const latency = fc.double({ min: 0, max: 4_000_000, noNaN: true })
    fc.assert(
      fc.property(fc.array(latency, { minLength: 2, maxLength: 64 }), (latencies) => {
        const few = LatencyHistogram.of(latencies)
        const many = LatencyHistogram.of(Array.from({ length: 65 }, () => latencies).flat())
        expect(many.summary().p50).toBe(few.summary().p50)
        expect(many.bands()).toEqual(few.bands().map((band) => ({ ...band, calls: band.calls * 65 })))
        const joined = LatencyHistogram.of([])
        for (let times = 0; times < 65; times++) joined.add(few)
        expect(joined.summary()).toEqual(many.summary())
        joined.add(many)
        many.add(joined)
        expect(many.summary().n).toBe(3 * 65 * latencies.length)
      }),
    )
  })
})

describe('latency bands', () => {
  it('cover fastest to slowest without a gap, and count every call once', () => {
    expect(LatencyHistogram.of([1.5, 1.9, 2, 30]).bands()).toEqual([
      { fromMs: 1, toMs: 2, calls: 3 },
      { fromMs: 2, toMs: 5, calls: 0 },
      { fromMs: 5, toMs: 10, calls: 0 },
      { fromMs: 10, toMs: 20, calls: 0 },
      { fromMs: 20, toMs: 50, calls: 1 },
    ])
    expect(LatencyHistogram.of([]).bands()).toEqual([])
    expect(
      LatencyHistogram.of([0, 1e9])
        .bands()
        .map(({ calls }) => calls)
        .filter(Boolean),
    ).toEqual([1, 1])
  })
})
