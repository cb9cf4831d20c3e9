import { describe, expect, it } from 'vitest'
import { parseDurationMs, parseTtlSeconds } from '../../../../src/cli/flags/duration.js'
import { errorOf } from '../../../support/errors.js'

describe('parseDurationMs', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['5', 5_000],
    ['0.5s', 500],
    ['1.5', 1_500],
    ['0.25ms', 0.25],
    ['2.2h', 7_920_000],
    ['33.3m', 1_998_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  it.each([
    '',
    '0',
    '0s',
    '-1s',
    '+1s',
    '1e3',
    '.5s',
    '5.',
    '5 s',
    ' 5s',
    '5S',
    '5d',
    'soon',
    '1m30s',
    'Infinity',
  ])('refuses %j and shows two that are right', (text) => {
    const error = errorOf(() => parseDurationMs(text))
    expect(error).toMatchObject({ code: 'USAGE', message: `"${text}" is not a duration` })
    expect(error.suggestions).toEqual(['Want a number above 0 with ms, s, m or h, such as 500ms or 5s'])
  })
})

describe('parseTtlSeconds', () => {
  it.each([
    ['10', 10],
    ['10s', 10],
    ['2m', 120],
    ['1000ms', 1],
    ['2.2h', 7_920],
    ['9000000000', 9_000_000_000],
  ])('reads %s as %d s', (text, seconds) => {
    expect(parseTtlSeconds(text)).toBe(seconds)
  })

  it.each(['0', '0.5', '500ms', '1.5s', '1500ms', '9000000001', '1e300', '.', 'e'])(
    'refuses %s, which etcd cannot grant',
    (text) => {
      expect(errorOf(() => parseTtlSeconds(text))).toMatchObject({
        code: 'USAGE',
        message: `A TTL of "${text}" cannot be granted`,
      })
    },
  )

  it.each(['', 'soon', '-1'])('refuses %j as no duration at all', (text) => {
    expect(errorOf(() => parseTtlSeconds(text)).message).toBe(`"${text}" is not a duration`)
  })
})
