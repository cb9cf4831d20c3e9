import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Discovery, Query, Update } from '../../../../src/domain/discovery.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { combineRegistries } from '../../../../src/registry/combined/combine.js'
import { merged } from '../../../../src/registry/combined/merged.js'
import { endpoint } from '../../../support/endpoints.js'
import { errorOf } from '../../../support/errors.js'
import { ScriptedDiscovery } from '../../../support/scripted-discovery.js'

const QUERY: Query = { service: 'hello' }

let stop: AbortController
beforeEach(() => {
  stop = new AbortController()
})
afterEach(() => {
  stop.abort()
  vi.useRealTimers()
})

/** What a watch has delivered so far, one text an update. */
function follow(discovery: Discovery, query: Query = QUERY): string[] {
  const seen: string[] = []
  void (async () => {
    for await (const update of discovery.watch(query, stop.signal)) seen.push(textOf(update))
    seen.push('ended')
  })()
  return seen
}

function textOf(update: Update): string {
  const of = `${update.registry ?? '-'} ${update.type}`
  if (update.type === 'stale') return `${of} ${update.cause.message}`
  if (update.type === 'reset') return `${of} ${update.endpoints.map(placed).join()}`
  return `${of} ${update.changes.flatMap((change) => (change.type === 'put' ? change.endpoints.map(placed) : change.key)).join()}`
}

const placed = ({ addr, origin }: { addr: string; origin?: { registry: string } }) =>
  `${addr}@${origin?.registry}`

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('combined registries', () => {
  it('deliver the updates of each registry, with its name', async () => {
    const [dc1, dc2] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
    const seen = follow(combineRegistries({ dc1, dc2 }))
    await settle()
    dc2.list({ addr: 'b:1' })
    dc1.list({ addr: 'a:1' })
    await settle()
    dc1.put({ addr: 'c:1' })
    dc2.lose()
    await settle()
    expect(seen).toEqual([
      'dc2 reset b:1@dc2',
      'dc1 reset a:1@dc1',
      'dc1 changes c:1@dc1',
      'dc2 stale etcd is not reachable',
    ])
    stop.abort()
    await settle()
    expect([seen.at(-1), dc1.watchers, dc2.watchers]).toEqual(['ended', 0, 0])
  })

  it('watch only the registries that the query names, and a single one directly', async () => {
    const [dc1, dc2] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
    const seen = follow(combineRegistries({ dc1, dc2 }), { ...QUERY, from: 'dc2' })
    await settle()
    dc2.list({ addr: 'b:1' })
    await settle()
    expect(seen).toEqual(['- reset b:1@undefined'])
    expect([dc1.watches, dc2.watches]).toEqual([0, 1])
  })

  it('restart a failed watch, report the failure once, and keep watching the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [dc1, dc2] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
    dc1.fail(new DiscoError('ETCD_DENIED', 'etcd denies'))
    const seen = follow(combineRegistries({ dc1, dc2 }, { random: () => 0 }))
    await settle()
    dc2.list({ addr: 'b:1' })
    await settle()
    expect(seen).toEqual(['dc1 stale etcd denies', 'dc2 reset b:1@dc2'])
    stop.abort()
    await settle()
    expect(seen.at(-1)).toBe('ended')
  })

  it('refuse unknown registry names', () => {
    const combined = combineRegistries({ dc1: new ScriptedDiscovery(), dc2: new ScriptedDiscovery() })
    expect(combined.originsOf?.('dc2,dc1').map(({ registry }) => registry)).toEqual(['dc2', 'dc1'])
    const error = errorOf(() => combined.originsOf?.('dc1,dc3'))
    expect([error.code, error.message]).toEqual(['USAGE', 'No registry "dc3"'])
    expect(error.suggestions).toContain('Available: dc1, dc2')
    expect(errorOf(() => combineRegistries({})).code).toBe('USAGE')
    expect(errorOf(() => combineRegistries({ 'a,b': new ScriptedDiscovery() })).code).toBe('USAGE')
  })

  it('explain an empty list for each registry', async () => {
    const explaining = (text: string) =>
      Object.assign(new ScriptedDiscovery(), { explainEmpty: () => Promise.resolve(text) })
    const silent = Object.assign(new ScriptedDiscovery(), {
      explainEmpty: () => Promise.reject(new Error('away')),
    })
    const combined = combineRegistries({
      dc1: explaining('layout seed'),
      dc2: silent,
      dc3: new ScriptedDiscovery(),
    })
    expect(await combined.explainEmpty?.(QUERY)).toBe('dc1: layout seed')
  })
})

describe('merged sources', () => {
  it('have at most one item waiting for a slow consumer', async () => {
    let made = 0
    async function* endless() {
      for (;;) yield ++made
    }
    async function* quiet() {
      await new Promise<void>(() => undefined)
      yield 0
    }
    const all = merged([endless(), quiet()])
    for (let taken = 0; taken < 100; taken++) await all.next()
    await settle()
    expect(made).toBeLessThanOrEqual(101)
    await all.return()
  })

  it('end when all sources have ended, or with the error of one source', async () => {
    async function* two() {
      yield 1
      yield 2
    }
    // biome-ignore lint/correctness/useYield: it fails before there is an item
    async function* failing(): AsyncGenerator<number> {
      throw new Error('broken')
    }
    const items: number[] = []
    for await (const item of merged([two(), two()])) items.push(item)
    expect(items.sort()).toEqual([1, 1, 2, 2])
    await expect(merged([failing()]).next()).rejects.toThrow('broken')
  })
})

it('keep endpoints of different registries apart if their keys are equal', async () => {
  const [dc1, dc2] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
  const seen = follow(combineRegistries({ dc1, dc2 }, { from: 'dc1=80,dc2=20' }))
  await settle()
  dc1.list(endpoint())
  dc2.list(endpoint())
  await settle()
  expect(seen).toEqual(['dc1 reset 127.0.0.1:1001@dc1', 'dc2 reset 127.0.0.1:1001@dc2'])
})
