import { describe, expect, it } from 'vitest'
import {
  formatWaitCondition,
  judge,
  needsHealth,
  parseWaitCondition,
  type WaitFacts,
} from '../../../src/domain/wait-condition.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'
import { errorOf } from '../../support/errors.js'

const ONE = endpoint({ addr: '127.0.0.1:1001', weight: 3 })
const TWO = endpoint({ addr: '127.0.0.1:1002', weight: 0 })
const BROKEN = endpoint({ addr: '127.0.0.1:1003', problem: NOT_JSON })
const FACTS: WaitFacts = { endpoints: [ONE, TWO, BROKEN], ready: 2, healthy: 1 }

function holds(text: string, facts: WaitFacts = FACTS): boolean {
  return judge(parseWaitCondition(text), facts).holds
}

describe('a condition to wait for', () => {
  it.each([
    ['endpoints>=2', true],
    ['endpoints>=3', false],
    ['endpoints == 2', true],
    ['endpoints=2', true],
    ['endpoints!=2', false],
    ['endpoints<3', true],
    ['endpoints>2', false],
    ['ready<=2', true],
    ['ready>=3', false],
    ['healthy>=1', true],
    ['healthy==0', false],
    ['gone 127.0.0.1:1009', true],
    ['gone 127.0.0.1:1001', false],
    ['gone 127.0.0.1:1003', false],
    [`gone ${ONE.key}`, false],
    ['weight 127.0.0.1:1001==3', true],
    ['weight 127.0.0.1:1001 >= 4', false],
    ['weight 127.0.0.1:1002==0', true],
    [`weight ${ONE.key}>2.5`, true],
  ])('%s: %s', (text, wanted) => {
    expect(holds(text)).toBe(wanted)
  })

  it('does not hold yet for an absent endpoint', () => {
    expect(holds('weight 127.0.0.1:1009==0')).toBe(false)
    expect(holds('weight 127.0.0.1:1003!=5')).toBe(false)
    expect(holds('endpoints>=1', { endpoints: [], ready: 0, healthy: 0 })).toBe(false)
    expect(holds('gone 127.0.0.1:1001', { endpoints: [], ready: 0, healthy: 0 })).toBe(true)
    expect(holds('ready>=0', { endpoints: [], ready: null, healthy: null })).toBe(false)
  })

  it('names a key as it is shown, too', () => {
    const odd = endpoint({ addr: ONE.addr, key: '/hello/\udcff' })
    const facts = { endpoints: [odd], ready: null, healthy: null }
    expect(holds('gone /hello/\\xff', facts)).toBe(false)
    expect(holds('gone /hello/\\xfe', facts)).toBe(true)
  })

  it('of a weight means every key that has the address', () => {
    const twice = [ONE, endpoint({ addr: ONE.addr, version: '2.0.0', weight: 5 })]
    expect(holds(`weight ${ONE.addr}>=3`, { ...FACTS, endpoints: twice })).toBe(true)
    expect(holds(`weight ${ONE.addr}==3`, { ...FACTS, endpoints: twice })).toBe(false)
  })

  it('is written as it is read, with the current state', () => {
    for (const text of ['endpoints>=3', 'healthy<2', 'gone a:1', 'weight [::1]:80!=4']) {
      expect(formatWaitCondition(parseWaitCondition(text))).toBe(text)
    }
    const now = (text: string) => judge(parseWaitCondition(text), FACTS).now
    expect(now('ready>=3')).toBe('ready 2')
    expect(now('gone 127.0.0.1:1001')).toBe('127.0.0.1:1001 is registered')
    expect(now('weight 127.0.0.1:1001==0')).toBe('127.0.0.1:1001 has weight 3')
    expect(now('weight 127.0.0.1:1009==0')).toBe('127.0.0.1:1009 is not registered')
  })

  it('needs the servers themselves only where it counts them', () => {
    const needing = ['ready>=1', 'healthy>=1', 'endpoints>=1', 'gone a:1', 'weight a:1==1'].filter((text) =>
      needsHealth(parseWaitCondition(text)),
    )
    expect(needing).toEqual(['ready>=1', 'healthy>=1'])
  })

  it.each([
    '',
    'ready',
    'ready>=',
    'ready>=-1',
    'ready=>3',
    'ready>=3.5',
    'gone',
    'gone a b',
    'weight ==3',
    'weights>=3',
  ])('%j is none', (text) => {
    expect(errorOf(() => parseWaitCondition(text))).toMatchObject({
      code: 'USAGE',
      message: `Invalid condition "${text}"`,
    })
  })
})
