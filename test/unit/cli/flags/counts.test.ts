import { describe, expect, it } from 'vitest'
import {
  countLines,
  inRotation,
  parseCounts,
  parseWeights,
  requireWeights,
} from '../../../../src/cli/flags/counts.js'
import { errorOf } from '../../../support/errors.js'

describe('counts by name', () => {
  it('take spaces, addresses and names with =', () => {
    expect([...parseCounts('a=3, 127.0.0.1:1001=0,[::1]:2=7,x=y=1')]).toEqual([
      ...[['a', 3] as const, ['127.0.0.1:1001', 0] as const],
      ...[['[::1]:2', 7] as const, ['x=y', 1] as const],
    ])
  })

  it.each([
    ['', '"" in --counts is not NAME=NUMBER'],
    ['a', '"a" in --counts is not NAME=NUMBER'],
    ['=3', '"=3" in --counts is not NAME=NUMBER'],
    ['a=3,', '"" in --counts is not NAME=NUMBER'],
    ['a=', '"" is not a count'],
    ['a=-1', '"-1" is not a count'],
    ['a=1.5', '"1.5" is not a count'],
    ['a=1e3', '"1e3" is not a count'],
    ['a=1234567890123456', '"1234567890123456" is not a count'],
    ['a=1,b=2,a=3', '"a" stands twice in --counts'],
  ])('refuse %j', (text, message) => {
    expect(errorOf(() => parseCounts(text))).toMatchObject({ code: 'USAGE', message })
  })
})

describe('weights by name', () => {
  it('are those of a registration', () => {
    expect([...parseWeights('a=0,b=2147483647')]).toEqual([
      ['a', 0],
      ['b', 2147483647],
    ])
    for (const text of ['a=+2', 'a=50%', 'a=-1', 'a=2147483648', 'a=x', 'a', '']) {
      expect(errorOf(() => parseWeights(text)).code).toBe('USAGE')
    }
  })

  it('0 is out of rotation, unless all are 0: then nobody set one', () => {
    expect([...inRotation(parseWeights('a=0,b=2'))]).toEqual([['b', 2]])
    expect([...inRotation(parseWeights('a=0,b=0')).values()]).toEqual([1, 1])
  })
})

it('names on lines are counted, without blanks around them and empty lines', async () => {
  async function* lines() {
    yield* ['a', ' b\r', '', 'a ', '\t', 'a']
  }
  expect([...(await countLines(lines()))]).toEqual([
    ['a', 3],
    ['b', 1],
  ])
})

it('a name without a weight is an error that tells some of them, and what was meant', () => {
  const weights = parseWeights('backend-1=1,backend-2=1')
  expect(() => requireWeights(parseCounts('backend-2=4'), weights)).not.toThrow()
  const error = errorOf(() => requireWeights(parseCounts('backend-2=4,backend-3=1'), weights))
  expect(error).toMatchObject({ code: 'USAGE', message: 'No weight is given for "backend-3"' })
  expect(error.suggestions[0]).toContain('backend-2')
  expect(errorOf(() => requireWeights(parseCounts('p=1,q=1,r=1,s=1,t=1'), weights)).message).toBe(
    'No weight is given for "p", "q", "r" and 2 more',
  )
})
