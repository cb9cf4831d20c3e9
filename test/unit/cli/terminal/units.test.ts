import { expect, it } from 'vitest'
import { count, duration, grouped, percent } from '../../../../src/cli/terminal/units.js'

it.each([
  [0, '0.0%'],
  [0.0714, '7.1%'],
  [0.786, '78.6%'],
  [1, '100.0%'],
])('writes the fraction %d as %s', (fraction, text) => {
  expect(percent(fraction)).toBe(text)
})

it.each([
  [null, '–'],
  [0.04, '0.0ms'],
  [1.14, '1.1ms'],
  [38, '38.0ms'],
  [420.4, '420ms'],
  [1_000, '1.0s'],
  [61_240, '61.2s'],
])('writes %d ms as %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

it('uses the singular for one and the plural for several', () => {
  expect([0, 1, 2].map((number) => count(number, 'endpoint'))).toEqual([
    '0 endpoints',
    '1 endpoint',
    '2 endpoints',
  ])
})

it.each([0, 7, 999, 1_000, 12_345, 123_456, 1_000_000])(
  'groups the digits of %d as English does',
  (number) => {
    expect(grouped(number)).toBe(number.toLocaleString('en'))
  },
)
