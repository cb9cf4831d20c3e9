import { describe, expect, it } from 'vitest'
import { findPolicy } from '../../../src/policies/index.js'
import { chooserOf } from '../../support/choosers.js'

/** A rotation named by its weights. Its calls are counted here; none ends by itself. */
function busy(weights: string, config = {}) {
  const calls = weights.split('-').map(() => 0)
  const chooser = chooserOf<number>(findPolicy('least_request'), {
    config,
    outstanding: (candidate) => calls[candidate] ?? 0,
  })
  for (const [candidate, weight] of weights.split('-').entries()) chooser.join(candidate, Number(weight))
  const setCalls = (...counts: number[]) => {
    for (const [candidate, count] of counts.entries()) {
      calls[candidate] = count
      chooser.recount?.(candidate)
    }
  }
  const send = (times: number) => {
    for (let call = 0; call < times; call++) {
      const chosen = chooser.choose()
      if (chosen === null) continue
      calls[chosen] = (calls[chosen] ?? 0) + 1
      chooser.recount?.(chosen)
    }
    return [...calls]
  }
  return { chooser, setCalls, send }
}

describe('least_request that compares all endpoints', () => {
  it('spreads a hundred calls exactly evenly over four equal endpoints', () => {
    expect(busy('1-1-1-1').send(100)).toEqual([25, 25, 25, 25])
  })

  it('keeps outstanding calls in proportion to the weights', () => {
    expect(busy('1-1-1-1-10').send(140)).toEqual([10, 10, 10, 10, 100])
  })

  it('prefers endpoints with fewer calls', () => {
    const { setCalls, send } = busy('1-1-1')
    setCalls(10)
    expect(send(10)).toEqual([10, 5, 5])
  })

  it('compares exactly if weights have their maximum', () => {
    const { setCalls, chooser } = busy(`${2 ** 31 - 1}-${2 ** 31 - 2}`)
    setCalls(1_000_000, 1_000_000)
    // Equal calls: the heavier has fewer for its weight, if by half a billionth.
    for (let pick = 0; pick < 50; pick++) expect(chooser.choose()).toBe(0)
  })

  it('finds the least loaded endpoints anywhere in the list', () => {
    const { setCalls, chooser } = busy('1-1-1-1-1-1')
    setCalls(3, 1, 2, 1, 3, 1)
    expect(new Set(Array.from({ length: 100 }, () => chooser.choose()))).toEqual(new Set([1, 3, 5]))
  })
})

describe('least_request that compares a random sample', () => {
  it('keeps four equal endpoints within 30 of a hundred calls', () => {
    for (const calls of busy('1-1-1-1', { choiceCount: 2 }).send(100)) expect(calls).toBeLessThanOrEqual(30)
  })

  it('prefers idle endpoints, more so with more choices', () => {
    const toIdle = (choiceCount: number) => {
      const { setCalls, chooser } = busy('1-1-1-1', { choiceCount })
      setCalls(9, 9, 9, 0)
      return (
        Array.from({ length: 4_000 }, () => chooser.choose()).filter((chosen) => chosen === 3).length / 4_000
      )
    }
    // Whoever draws the idle one at least once takes it: 1 - (3/4)^choices.
    expect(Math.abs(toIdle(2) - 7 / 16)).toBeLessThan(0.04)
    expect(Math.abs(toIdle(4) - (1 - 0.75 ** 4))).toBeLessThan(0.04)
  })
})
