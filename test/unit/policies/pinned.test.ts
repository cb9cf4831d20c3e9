import { expect, it } from 'vitest'
import { findPolicy } from '../../../src/policies/index.js'
import { chooserOf } from '../../support/choosers.js'

const pinned = findPolicy('pinned')
const to = (pin: string) => ({ hashKey: null, pin })

function rotation(config: object, names?: (candidate: string) => readonly string[]) {
  const chooser = chooserOf<string>(pinned, { config, ...(names ? { names } : {}) })
  for (const name of ['a', 'b', 'c']) chooser.join(name, 1)
  return chooser
}

it('goes to the pinned endpoint and to no other', () => {
  const chooser = rotation({ to: 'b' })
  for (let pick = 0; pick < 10; pick++) expect(chooser.choose()).toBe('b')
})

it('strict: no endpoint while the pinned one is away, and it again after its return', () => {
  const chooser = rotation({ to: 'b' })
  chooser.leave('b')
  expect(chooser.choose()).toBeNull()
  expect(chooser.size).toBe(2)
  chooser.join('b', 1)
  expect(chooser.choose()).toBe('b')
})

it('with a fallback: the others by that policy while it is away', () => {
  const chooser = rotation({ to: 'b', fallback: { round_robin: {} } })
  chooser.leave('b')
  expect(Array.from({ length: 4 }, () => chooser.choose()).join('')).toBe('acac')
  chooser.join('b', 1)
  expect(chooser.choose()).toBe('b')
})

it('the fallback least_request follows the calls that start and end', () => {
  const calls = new Map<string, number>()
  const config = { to: 'x', fallback: { least_request: {} } }
  const outstanding = (candidate: string) => calls.get(candidate) ?? 0
  const chooser = chooserOf<string>(pinned, { config, outstanding })
  for (const name of ['a', 'b', 'c']) chooser.join(name, 1)
  for (let call = 0; call < 9; call++) {
    const chosen = chooser.choose() ?? ''
    calls.set(chosen, outstanding(chosen) + 1)
    chooser.recount?.(chosen)
  }
  expect([...calls.values()]).toEqual([3, 3, 3])
})

it('the fallback gets weights, and keys', () => {
  const chooser = rotation({ to: 'x', fallback: { ring_hash: {} } })
  chooser.reweigh('a', 1_000_000)
  for (let key = 0; key < 20; key++) expect(chooser.choose({ hashKey: `k${key}`, pin: null })).toBe('a')
  expect(findPolicy('pinned').configure({ fallback: { ring_hash: {} } }).reads).toEqual(['pin', 'hashKey'])
  expect(findPolicy('pinned').configure({ fallback: { least_request: {} } }).countsCalls).toBe(true)
})

it('a call’s own pin comes before the parameter', () => {
  const chooser = rotation({ to: 'b' })
  expect(chooser.choose(to('c'))).toBe('c')
  expect(chooser.choose(to('x'))).toBeNull()
})

it('a call that is pinned to nothing goes by the fallback, or nowhere', () => {
  expect(rotation({}).choose()).toBeNull()
  expect(rotation({ fallback: { rr: {} } }).choose()).toBe('a')
})

it('knows an endpoint by any of its names; those that share one take turns', () => {
  const chooser = rotation({}, (name) => [name, `id-${name}`, name === 'c' ? '10.0.0.2' : '10.0.0.1'])
  expect(chooser.choose(to('id-b'))).toBe('b')
  expect(Array.from({ length: 4 }, () => chooser.choose(to('10.0.0.1'))).join('')).toBe('abab')
  chooser.leave('a')
  expect(Array.from({ length: 2 }, () => chooser.choose(to('10.0.0.1'))).join('')).toBe('bb')
})

it('follows an endpoint that gets another name', () => {
  let id = 'old'
  const chooser = rotation({}, (name) => (name === 'a' ? [name, id] : [name]))
  expect(chooser.choose(to('old'))).toBe('a')
  id = 'new'
  chooser.rename?.('a')
  chooser.rename?.('nobody')
  expect(chooser.choose(to('old'))).toBeNull()
  expect(chooser.choose(to('new'))).toBe('a')
  chooser.leave('a')
  expect(chooser.choose(to('new'))).toBeNull()
})
