import { expect, test } from 'vitest'
import { Backoff, DENIAL_BACKOFF } from '../../../src/net/backoff.js'

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next())

test.each([
  ['at its shortest', 0, [50, 100, 200, 400, 500, 500]],
  ['at its longest', 1, [100, 200, 400, 800, 1_000, 1_000]],
])('each wait is twice the one before, up to a limit, jittered by half: %s', (_, random, expected) => {
  expect(waits(new Backoff({ firstMs: 100, maxMs: 1_000, random: () => random }), 6)).toEqual(expected)
})

test.each([
  ['at its shortest', 0, [5_000, 10_000, 20_000, 40_000, 40_000]],
  ['at its longest', 1, [7_500, 15_000, 30_000, 60_000, 60_000]],
])('after a denial, waits start at 5 s and never exceed 60 s: %s', (_, random, expected) => {
  expect(waits(new Backoff({ ...DENIAL_BACKOFF, random: () => random }), 5)).toEqual(expected)
})

test('a reset starts again with the first delay', () => {
  const backoff = new Backoff({ firstMs: 100, random: () => 1 })
  waits(backoff, 3)
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test('registrars that were denied at the same time retry at different times', () => {
  const registrar = () => new Backoff(DENIAL_BACKOFF)
  const first = Array.from({ length: 60 }, () => registrar().next())
  expect(new Set(first).size).toBe(60)
  for (const ms of first) {
    expect(ms).toBeGreaterThanOrEqual(5_000)
    expect(ms).toBeLessThanOrEqual(7_500)
  }
})
