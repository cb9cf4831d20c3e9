import { expect, it } from 'vitest'
import { Intervals } from '../../../src/stats/intervals.js'

const counting = () =>
  new Intervals<{ calls: number }>({
    create: () => ({ calls: 0 }),
    add: (sum, more) => {
      sum.calls += more.calls
    },
  })

it('a short run has intervals of one millisecond', () => {
  const intervals = counting()
  intervals.at(0).calls++
  intervals.at(2.5).calls++
  expect(intervals.list(3, 100)).toEqual([
    { fromMs: 0, toMs: 1, content: { calls: 1 } },
    { fromMs: 1, toMs: 2, content: { calls: 0 } },
    { fromMs: 2, toMs: 3, content: { calls: 1 } },
  ])
})

it('a run of any length has few intervals of a round length, and loses no content', () => {
  for (const endMs of [1, 319, 321, 5_000, 600_000, 1e9]) {
    const intervals = counting()
    const calls = 2_000
    for (let call = 0; call < calls; call++) intervals.at((call * endMs) / calls).calls++
    const all = intervals.list(endMs, Number.POSITIVE_INFINITY)
    expect(all.length).toBeLessThanOrEqual(320)
    expect(all.length, `${endMs} ms`).toBeGreaterThan(endMs < 60 ? 0 : 60)
    for (const most of [1_000, 120, 10, 1]) {
      const listed = intervals.list(endMs, most)
      expect(listed.length).toBeLessThanOrEqual(most)
      expect(listed.reduce((sum, { content }) => sum + content.calls, 0)).toBe(calls)
      expect(listed.at(-1)?.toMs).toBeGreaterThanOrEqual(endMs)
      for (const [at, { fromMs }] of listed.entries()) expect(fromMs).toBe(listed[at - 1]?.toMs ?? 0)
      expect(String(listed[0]?.toMs ?? 0)).toMatch(/^[125]0*$/)
    }
  }
})

it('the last moments of a run are not an interval of their own', () => {
  const intervals = counting()
  for (let ms = 0; ms <= 3_003; ms++) intervals.at(ms).calls++
  const listed = intervals.list(3_003, 10)
  expect(listed.map(({ toMs, content }) => [toMs, content.calls])).toEqual([
    [500, 500],
    [1_000, 500],
    [1_500, 500],
    [2_000, 500],
    [2_500, 500],
    [3_500, 504],
  ])
})

it('a time before the start counts as the start, and a gap of an hour is stored as usual', () => {
  const intervals = counting()
  intervals.at(-5).calls++
  intervals.at(3_600_000).calls++
  const listed = intervals.list(3_600_001, 1_000)
  expect(listed[0]?.content.calls).toBe(1)
  expect(listed.at(-1)?.content.calls).toBe(1)
})
