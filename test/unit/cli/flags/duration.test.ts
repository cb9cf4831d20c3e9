import { describe, expect, it } from 'vitest'
import { durationFlag, ttlFlag, waitFlag } from '../../../../src/cli/flags/duration.js'
import { flagError, flagValues } from '../../../support/flags.js'

const flags = {
  deadline: durationFlag(),
  wait: waitFlag(),
  drain: waitFlag({ allowsZero: true }),
  ttl: ttlFlag(),
}

describe('a duration', () => {
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
  ])('reads %s as %d ms', async (text, ms) => {
    const argv = [`--deadline=${text}`, `--wait=${text}`, `--drain=${text}`]
    expect(await flagValues(flags, ...argv)).toMatchObject({ deadline: ms, wait: ms, drain: ms })
  })

  it.each(['', '+1s', '1e3', '.5s', '5.', '5 s', ' 5s', '5S', '5d', 'soon', '1m30s', 'Infinity'])(
    'refuses %j, and names the flag',
    async (text) => {
      for (const name of ['deadline', 'wait']) {
        expect(await flagError(flags, `--${name}=${text}`)).toMatchObject({
          code: 'USAGE',
          message: `Invalid --${name} "${text}": expected a duration such as 5s or 2m`,
        })
      }
    },
  )

  it.each(['0', '0s', '-1s', '\u22121s'])('refuses %j by the least that is allowed', async (text) => {
    for (const name of ['deadline', 'wait']) {
      expect((await flagError(flags, `--${name}=${text}`)).message).toBe(
        `Invalid --${name} "${text}": expected a duration above 0, such as 5s or 2m`,
      )
    }
  })

  it('with more digits than a number holds is refused with the maximum', async () => {
    for (const name of ['wait', 'drain']) {
      expect((await flagError(flags, `--${name}=99999999999999999999h`)).message).toContain(
        'expected at most 596h',
      )
    }
    expect((await flagError(flags, '--drain=-1s')).message).toContain('expected a duration of 0 or more')
  })

  it('may be 0 if 0 means not to wait', async () => {
    for (const zero of ['0', '0ms', '0s', '0m', '0h']) {
      expect(await flagValues(flags, '--drain', zero)).toEqual({ drain: 0 })
    }
    expect((await flagError(flags, '--drain', '00')).message).toContain('Invalid --drain "00"')
  })

  it('is at most 596h if a timer waits for it', async () => {
    expect(await flagValues(flags, '--wait', '596h', '--deadline', '9000h')).toEqual({
      wait: 596 * 3_600_000,
      deadline: 9_000 * 3_600_000,
    })
    expect((await flagError(flags, '--drain', '597h')).message).toBe(
      'Invalid --drain "597h": expected at most 596h',
    )
  })

  it.each([
    [500, '500ms'],
    [5_000, '5s'],
    [90_000, '90s'],
    [120_000, '2m'],
    [86_400_000, '24h'],
  ])('of %d ms is the default %s in help', async (ms, text) => {
    const { defaultHelp } = durationFlag({ default: ms })
    if (typeof defaultHelp !== 'function') throw new Error('help shows milliseconds')
    expect(await defaultHelp({ flags: {}, options: durationFlag({ default: ms }) })).toBe(text)
  })
})

describe('a TTL', () => {
  it.each([
    ['10', 10],
    ['10s', 10],
    ['2m', 120],
    ['1000ms', 1],
    ['2.2h', 7_920],
    ['9000000000', 9_000_000_000],
  ])('reads %s as %d s', async (text, seconds) => {
    expect(await flagValues(flags, '--ttl', text)).toEqual({ ttl: seconds })
  })

  it.each(['0', '0.5', '500ms', '1.5s', '1500ms', '9000000001', '1e300', '.', 'e', '', 'soon', '-1'])(
    'refuses %j, which etcd cannot grant',
    async (text) => {
      expect(await flagError(flags, `--ttl=${text}`)).toMatchObject({
        code: 'USAGE',
        message: `Invalid --ttl "${text}": expected whole seconds from 1 to 9000000000, such as 10`,
      })
    },
  )
})
