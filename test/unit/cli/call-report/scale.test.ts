import { describe, expect, it } from 'vitest'
import { linearTicks, logTicks, timeTicks } from '../../../../src/cli/call-report/charts/scale.js'

const labels = (ticks: readonly { label: string }[]) => ticks.map(({ label }) => label).join(' ')

describe('a time axis', () => {
  it.each([
    [0.4, '0.00 0.05 0.10 0.15 0.20 0.25 0.30 0.35 0.40', 'ms'],
    [14, '0 2 4 6 8 10 12 14', 'ms'],
    [1_500, '0 200 400 600 800 1000 1200 1400', 'ms'],
    [6_568, '0 1 2 3 4 5 6', 's'],
    [30_004, '0 5 10 15 20 25 30', 's'],
    [600_050, '0:00 1:00 2:00 3:00 4:00 5:00 6:00 7:00 8:00 9:00 10:00', 'min:s'],
    [14_400_000, '0.0 0.5 1.0 1.5 2.0 2.5 3.0 3.5 4.0', 'h'],
  ])('of %d ms', (endMs, text, unit) => {
    const { ticks, unit: shown } = timeTicks(endMs, 10)
    expect([labels(ticks), shown]).toEqual([text, unit])
  })
})

it('a linear axis starts at 0 and ends at or above the largest value', () => {
  for (const to of [0.0013, 0.07, 1, 3, 99, 1_000, 12_345]) {
    const ticks = linearTicks(to, 4, String)
    expect(ticks[0]?.at).toBe(0)
    expect(ticks.at(-1)?.at).toBeGreaterThanOrEqual(to * (1 - 1e-9))
    expect(ticks.length).toBeLessThanOrEqual(6)
  }
})

it('a logarithmic axis encloses its values, with at least two marks', () => {
  for (const [least, most] of [
    [1, 1],
    [0.3, 0.3],
    [1.1, 3.9],
    [0.5, 250],
    [0.05, 60_000],
    [2_000, 2_500],
  ] as const) {
    const ticks = logTicks(least, most, String)
    expect(ticks[0]?.at).toBeLessThanOrEqual(least * (1 + 1e-9))
    expect(ticks.at(-1)?.at).toBeGreaterThanOrEqual(most * (1 - 1e-9))
    expect(ticks.length).toBeGreaterThan(1)
    expect(ticks.length).toBeLessThan(15)
  }
})
