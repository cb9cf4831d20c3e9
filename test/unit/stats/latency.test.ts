import { expect, it } from 'vitest'
import { summarizeLatencies } from '../../../src/stats/latency.js'

/** 1, 2, … n ms, in an order that is not sorted. */
const upTo = (n: number) => Array.from({ length: n }, (_, at) => ((at * 7919) % n) + 1)

it.each([
  [0, { n: 0, p50: null, p95: null, p99: null, max: null }],
  [1, { n: 1, p50: null, p95: null, p99: null, max: 1 }],
  [2, { n: 2, p50: 1, p95: null, p99: null, max: 2 }],
  [19, { n: 19, p50: 10, p95: null, p99: null, max: 19 }],
  [20, { n: 20, p50: 10, p95: 19, p99: null, max: 20 }],
  [99, { n: 99, p50: 50, p95: 95, p99: null, max: 99 }],
  [100, { n: 100, p50: 50, p95: 95, p99: 99, max: 100 }],
  [1_000, { n: 1_000, p50: 500, p95: 950, p99: 990, max: 1_000 }],
])('of %d calls tells no percentile that so few cannot tell', (n, summary) => {
  expect(summarizeLatencies(upTo(n))).toEqual(summary)
})

it('sorts by number, not by text, and leaves the given list alone', () => {
  const given = [100, 9, 20]
  expect(summarizeLatencies(given)).toMatchObject({ p50: 20, max: 100 })
  expect(given).toEqual([100, 9, 20])
})

it('rounds to the microsecond', () => {
  expect(summarizeLatencies([1.23456, 1.23456])).toMatchObject({ p50: 1.235, max: 1.235 })
})
