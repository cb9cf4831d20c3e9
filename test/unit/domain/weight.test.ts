import { describe, expect, it } from 'vitest'
import { changeWeight, MAX_WEIGHT, parseWeight, parseWeightChange } from '../../../src/domain/weight.js'
import { errorOf } from '../../support/errors.js'

const EXPECTED = `expected an integer from 0 to ${MAX_WEIGHT}, or a change such as +2, -1 or 50%`

describe('parseWeightChange', () => {
  it.each([
    ['5', { kind: 'set', weight: 5 }],
    ['0', { kind: 'set', weight: 0 }],
    [String(MAX_WEIGHT), { kind: 'set', weight: 2147483647 }],
    ['+2', { kind: 'add', delta: 2 }],
    ['-1', { kind: 'add', delta: -1 }],
    ['\u22121', { kind: 'add', delta: -1 }],
    ['50%', { kind: 'scale', percent: 50 }],
    ['150%', { kind: 'scale', percent: 150 }],
  ])('reads %s', (text, change) => {
    expect(parseWeightChange(text)).toEqual(change)
  })

  it.each(['', ' 5', '5 ', '1.5', '1e3', '0x10', '+', '%', '+50%', '-50%', '5%%', '--1', 'many', '٣', '5\n'])(
    'refuses %j',
    (text) => {
      expect(errorOf(() => parseWeightChange(text))).toMatchObject({
        code: 'USAGE',
        message: `Invalid weight "${text}": ${EXPECTED}`,
      })
    },
  )

  it('quotes a Unicode minus sign as an ASCII minus', () => {
    expect(errorOf(() => parseWeightChange('\u22121.5')).message).toBe(`Invalid weight "-1.5": ${EXPECTED}`)
  })

  it('refuses a weight beyond a signed 32-bit integer', () => {
    expect(errorOf(() => parseWeightChange('2147483648')).message).toContain('the maximum is 2147483647')
  })
})

describe('parseWeight', () => {
  it('accepts a number but not a change', () => {
    expect(parseWeight('7')).toBe(7)
    for (const change of ['+7', '-7', '7%']) expect(errorOf(() => parseWeight(change)).code).toBe('USAGE')
  })
})

describe('changeWeight', () => {
  it('restores a weight only if it is 0', () => {
    expect(changeWeight(0, { kind: 'restore', weight: 5 })).toBe(5)
    expect(changeWeight(3, { kind: 'restore', weight: 5 })).toBe(3)
  })

  it.each([
    [10, '3', 3],
    [10, '0', 0],
    [10, '+5', 15],
    [10, '-10', 0],
    [10, '50%', 5],
    [5, '50%', 3],
    [1, '1%', 1],
    [7, '0%', 1],
    [0, '50%', 0],
    [0, '+1', 1],
    [MAX_WEIGHT, '100%', MAX_WEIGHT],
  ])('makes %d with %s into %d', (weight, change, changed) => {
    expect(changeWeight(weight, parseWeightChange(change))).toBe(changed)
  })

  it('refuses to go below 0, and shows both weights', () => {
    expect(errorOf(() => changeWeight(1, parseWeightChange('-2')))).toMatchObject({
      code: 'USAGE',
      message: 'The weight would be -1; it is 1 now and cannot go below 0',
    })
  })

  it.each(['+1', '101%'])('refuses to go above the largest weight by %s', (change) => {
    expect(errorOf(() => changeWeight(MAX_WEIGHT, parseWeightChange(change))).code).toBe('USAGE')
  })
})
