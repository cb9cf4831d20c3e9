import { describe, expect, it } from 'vitest'
import {
  countLines,
  countsFlag,
  inRotation,
  requireWeights,
  weightsFlag,
} from '../../../../src/cli/flags/counts.js'
import { errorOf } from '../../../support/errors.js'
import { flagError, flagValues } from '../../../support/flags.js'

const flags = { counts: countsFlag(), weights: weightsFlag() }

const weightsOf = async (text: string) =>
  (await flagValues(flags, `--weights=${text}`)).weights ?? new Map<string, number>()

const countsOf = (counts: Record<string, number>) => new Map(Object.entries(counts))

describe('counts by name', () => {
  it('accept spaces, addresses and names with =', async () => {
    const { counts } = await flagValues(flags, '--counts', 'a=3, 127.0.0.1:1001=0,[::1]:2=7,x=y=1')
    expect(counts).toEqual(countsOf({ a: 3, '127.0.0.1:1001': 0, '[::1]:2': 7, 'x=y': 1 }))
  })

  it('can be read from standard input', async () => {
    expect(await flagValues(flags, '--counts', '-')).toEqual({ counts: { path: '-', source: '--counts' } })
  })

  it.each([
    ['', ''],
    ['a', 'a'],
    ['=3', '=3'],
    ['a=3,', ''],
    ['b=1,a=', 'a='],
    ['a=-1', 'a=-1'],
    ['a=1.5', 'a=1.5'],
    ['a=1e3', 'a=1e3'],
    ['a=1234567890123456', 'a=1234567890123456'],
  ])('refuse %j, and quote the part that is invalid', async (text, part) => {
    expect(await flagError(flags, `--counts=${text}`)).toMatchObject({
      code: 'USAGE',
      message: `Invalid --counts "${part}": expected names with counts of up to 15 digits, such as a=3,b=2`,
    })
  })

  it('reject a name that is given twice', async () => {
    const { message } = await flagError(flags, '--counts=a=1,b=2,a=3')
    expect(message).toBe('"a" is given more than once in --counts')
  })
})

describe('weights by name', () => {
  it('have the range of registered weights', async () => {
    expect([...(await weightsOf('a=0,b=2147483647'))]).toEqual([
      ['a', 0],
      ['b', 2147483647],
    ])
    for (const text of ['a=+2', 'a=50%', 'a=-1', 'a=2147483648', 'a=x', 'a', '']) {
      expect((await flagError(flags, `--weights=${text}`)).message).toBe(
        `Invalid --weights "${text}": expected names with integers from 0 to 2147483647, such as a=3,b=2`,
      )
    }
  })

  it('of 0 are out of rotation, unless all are 0: then weights are unset', async () => {
    expect([...inRotation(await weightsOf('a=0,b=2'))]).toEqual([['b', 2]])
    expect([...inRotation(await weightsOf('a=0,b=0')).values()]).toEqual([1, 1])
  })
})

it('names on lines are counted, ignoring surrounding blanks and empty lines', async () => {
  async function* lines() {
    yield* ['a', ' b\r', '', 'a ', '\t', 'a']
  }
  expect([...(await countLines(lines()))]).toEqual([
    ['a', 3],
    ['b', 1],
  ])
})

it('names without a weight are an error that lists some of them and suggests the nearest name', async () => {
  const weights = await weightsOf('backend-1=1,backend-2=1')
  expect(() => requireWeights(countsOf({ 'backend-2': 4 }), weights)).not.toThrow()
  const error = errorOf(() => requireWeights(countsOf({ 'backend-2': 4, 'backend-3': 1 }), weights))
  expect(error).toMatchObject({ code: 'USAGE', message: 'No weight is given for "backend-3"' })
  expect(error.suggestions[0]).toContain('backend-2')
  const five = countsOf({ p: 1, q: 1, r: 1, s: 1, t: 1 })
  expect(errorOf(() => requireWeights(five, weights)).message).toBe(
    'No weight is given for "p", "q", "r" and 2 more',
  )
})
