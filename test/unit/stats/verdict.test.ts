import { expect, it } from 'vitest'
import { judgeByGap } from '../../../src/stats/verdict.js'

it.each([
  [0, 'pass'],
  [0.714, 'pass'],
  [1.999, 'pass'],
  [2, 'pass'],
  [2.0001, 'fail'],
  [40, 'fail'],
])('a largest gap of %d calls is a %s', (gap, result) => {
  expect(judgeByGap(gap).result).toBe(result)
})

it('tells the gap to three digits, the limit and the test', () => {
  expect(judgeByGap(0.7142857)).toEqual({
    ...{ result: 'pass', test: 'max-gap', gap: 0.714, limit: 2, p: null, alternative: null },
  })
})

it("fails the source document's own run, 3/2/2/1/2 over the weights 1-1-1-1-10", () => {
  const gaps = [3, 2, 2, 1].map((picks) => picks - 10 / 14).concat(2 - 100 / 14)
  expect(judgeByGap(Math.max(...gaps.map(Math.abs))).result).toBe('fail')
})
