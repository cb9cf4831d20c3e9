import { describe, expect, it } from 'vitest'
import { type Endpoint, endpointId } from '../../../src/domain/endpoint.js'
import {
  formatWaitCondition,
  needsConnections,
  parseWaitCondition,
} from '../../../src/domain/wait-condition.js'
import { judge, mayHold, type WaitFacts } from '../../../src/domain/wait-judgement.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'
import { errorOf } from '../../support/errors.js'

const ONE = endpoint({ addr: '127.0.0.1:1001', weight: 3 })
const TWO = endpoint({ addr: '127.0.0.1:1002', weight: 0 })
const BROKEN = endpoint({ addr: '127.0.0.1:1003', problem: NOT_JSON })
const FACTS: WaitFacts = {
  endpoints: [ONE, TWO, BROKEN],
  names: [],
  ready: new Set([ONE, TWO].map(endpointId)),
  healthy: new Set([endpointId(ONE)]),
  drained: new Set([endpointId(TWO)]),
}
const NOTHING = healthy([])

/** Facts about some endpoints, all of them healthy, with the names that select them. */
function healthy(endpoints: readonly Endpoint[], ...names: string[]): WaitFacts {
  const ids = new Set(endpoints.map(endpointId))
  return { endpoints, names, ready: ids, healthy: ids, drained: new Set() }
}

function holds(text: string, facts: WaitFacts = FACTS): boolean {
  return judge(parseWaitCondition(text, '--for'), facts).holds
}

describe('a wait condition', () => {
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

  it('does not hold for an endpoint that is not yet registered', () => {
    expect(holds('weight 127.0.0.1:1009==0')).toBe(false)
    expect(holds('weight 127.0.0.1:1003!=5')).toBe(false)
    expect(holds('endpoints>=1', NOTHING)).toBe(false)
    expect(holds('gone 127.0.0.1:1001', NOTHING)).toBe(true)
    expect(holds('ready>=0', { ...NOTHING, ready: null })).toBe(false)
  })

  it.each([
    ['not endpoints>=3', 'endpoints<3'],
    ['!healthy>=2', 'healthy<2'],
    ['! weight a:1==0', 'weight a:1!=0'],
    ['not gone a:1', 'registered a:1'],
    ['!registered', 'gone'],
    ['healthy', 'all healthy'],
    ['drained', 'all drained'],
    ['!healthy', 'not healthy'],
  ])('%s is %s', (text, canonical) => {
    expect(formatWaitCondition(parseWaitCondition(text, '--for'))).toBe(canonical)
  })

  it.each<[string, WaitFacts, boolean, string]>([
    ['all ready', FACTS, false, 'ready 2 of 3'],
    ['all healthy', healthy([ONE, TWO]), true, 'healthy 2 of 2'],
    ['all healthy', NOTHING, false, 'healthy 0 of 0'],
    ['all healthy', healthy([ONE], ONE.addr, 'a:1'), false, 'healthy 1 of 1, a:1 is not registered'],
    ['not healthy', FACTS, false, 'healthy 1 of 3'],
    ['not healthy', NOTHING, true, 'healthy 0 of 0'],
    ['not healthy 127.0.0.1:1002', FACTS, true, 'healthy 0 of 1'],
    ['healthy 127.0.0.1:1001', FACTS, true, 'healthy 1 of 1'],
    ['healthy 127.0.0.1:1009', FACTS, false, 'healthy 0 of 0, 127.0.0.1:1009 is not registered'],
    ['gone', NOTHING, true, 'none is registered'],
    ['gone', FACTS, false, '3 are registered'],
    ['gone', healthy([ONE], ONE.addr, 'a:1'), false, '127.0.0.1:1001 is registered'],
    ['gone', healthy([], ONE.addr, 'a:1'), true, '127.0.0.1:1001, a:1 are gone'],
    ['registered', NOTHING, false, 'none is registered'],
    ['registered', healthy([ONE], ONE.addr, 'a:1'), false, 'a:1 is not registered'],
    ['registered', healthy([ONE], ONE.addr), true, '1 is registered'],
    ['drained 127.0.0.1:1002', FACTS, true, 'drained 1 of 1'],
    ['drained', FACTS, false, 'drained 1 of 3'],
    ['not drained', NOTHING, false, 'drained 0 of 0'],
    ['not drained 127.0.0.1:1001', FACTS, true, 'drained 0 of 1'],
    ['weight==3', healthy([ONE]), true, 'weights 3'],
    ['weight>=0', NOTHING, false, 'none is registered'],
    ['weight==3', healthy([ONE], ONE.addr, 'a:1'), false, 'a:1 is not registered'],
    ['weight>=0', healthy([BROKEN]), false, 'no weight can be read'],
  ])('%s, case %#', (text, facts, wanted, now) => {
    expect(judge(parseWaitCondition(text, '--for'), facts)).toEqual({ holds: wanted, now })
  })

  it.each([
    ['endpoints>=2', true],
    ['endpoints>=3', false],
    ['ready>=2', true],
    ['ready>=3', false],
    ['ready==9', true],
    ['all healthy', false],
    ['healthy 127.0.0.1:1001', true],
    ['healthy 127.0.0.1:1009', false],
    ['not healthy', true],
  ])('%s may hold, by the registry alone: %s', (text, wanted) => {
    const unasked = { ...FACTS, ready: null, healthy: null }
    expect(mayHold(parseWaitCondition(text, '--for'), unasked)).toBe(wanted)
  })

  it('accepts a key in its displayed form, too', () => {
    const odd = endpoint({ addr: ONE.addr, key: '/hello/\udcff' })
    const facts = { ...NOTHING, endpoints: [odd] }
    expect(holds('gone /hello/\\xff', facts)).toBe(false)
    expect(holds('gone /hello/\\xfe', facts)).toBe(true)
  })

  it('on a weight applies to every key that has the address', () => {
    const twice = [ONE, endpoint({ addr: ONE.addr, version: '2.0.0', weight: 5 })]
    expect(holds(`weight ${ONE.addr}>=3`, { ...FACTS, endpoints: twice })).toBe(true)
    expect(holds(`weight ${ONE.addr}==3`, { ...FACTS, endpoints: twice })).toBe(false)
  })

  it('is formatted as it is parsed, with the current state', () => {
    const texts = ['endpoints>=3', 'healthy<2', 'gone a:1', 'gone', 'registered', 'weight [::1]:80!=4']
    const more = ['weight==0', 'all healthy', 'healthy a:1', 'not ready', 'not ready a:1', 'all drained']
    for (const text of [...texts, ...more]) {
      expect(formatWaitCondition(parseWaitCondition(text, '--for'))).toBe(text)
    }
    const now = (text: string) => judge(parseWaitCondition(text, '--for'), FACTS).now
    expect(now('ready>=3')).toBe('ready 2')
    expect(now('gone 127.0.0.1:1001')).toBe('127.0.0.1:1001 is registered')
    expect(now('weight 127.0.0.1:1001==0')).toBe('127.0.0.1:1001 has weight 3')
    expect(now('weight 127.0.0.1:1009==0')).toBe('127.0.0.1:1009 is not registered')
  })

  it('needs health checks only if it counts ready or healthy endpoints', () => {
    const states = ['gone', 'registered', 'drained', 'all healthy', 'not ready']
    const needing = ['ready>=1', 'healthy>=1', 'endpoints>=1', 'gone a:1', 'weight a:1==1', ...states].filter(
      (text) => needsConnections(parseWaitCondition(text, '--for')),
    )
    expect(needing).toEqual(['ready>=1', 'healthy>=1', 'all healthy', 'not ready'])
  })

  it.each([
    '',
    'not',
    'not not ready',
    'not all ready',
    'all gone',
    'all ready a:1',
    'ready>=',
    'ready>=-1',
    'ready=>3',
    'ready>=3.5',
    'gone ',
    'not healthy ',
    'gone a b',
    'weight ==3',
    'weights>=3',
  ])('%j is none', (text) => {
    expect(errorOf(() => parseWaitCondition(text, '--for'))).toMatchObject({
      code: 'USAGE',
      message: `Invalid condition "${text}" from --for`,
    })
  })
})
