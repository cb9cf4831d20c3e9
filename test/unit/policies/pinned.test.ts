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

it('chooses the pinned endpoint and no other', () => {
  const chooser = rotation({ to: 'b' })
  for (let pick = 0; pick < 10; pick++) expect(chooser.choose()).toBe('b')
})

it('without a fallback, chooses null while the pinned endpoint is away, and the endpoint again after its return', () => {
  const chooser = rotation({ to: 'b' })
  chooser.leave('b')
  expect(chooser.choose()).toBeNull()
  expect(chooser.size).toBe(2)
  chooser.join('b', 1)
  expect(chooser.choose()).toBe('b')
})

it('with a fallback, chooses the others by the fallback policy while the pinned endpoint is away', () => {
  const chooser = rotation({ to: 'b', fallback: { round_robin: {} } })
  chooser.leave('b')
  expect(Array.from({ length: 4 }, () => chooser.choose()).join('')).toBe('acac')
  chooser.join('b', 1)
  expect(chooser.choose()).toBe('b')
})

it('a least_request fallback receives the calls that start and end', () => {
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

it('the fallback receives weights and hash keys', () => {
  const chooser = rotation({ to: 'x', fallback: { ring_hash: {} } })
  chooser.reweigh('a', 1_000_000)
  for (let key = 0; key < 20; key++) expect(chooser.choose({ hashKey: `k${key}`, pin: null })).toBe('a')
  expect(findPolicy('pinned').configure({ fallback: { ring_hash: {} } }).reads).toEqual(['pin', 'hashKey'])
  expect(findPolicy('pinned').configure({ fallback: { least_request: {} } }).countsCalls).toBe(true)
})

it('the pin of a call takes precedence over the parameter', () => {
  const chooser = rotation({ to: 'b' })
  expect(chooser.choose(to('c'))).toBe('c')
  expect(chooser.choose(to('x'))).toBeNull()
})

it('a call without a pin is chosen by the fallback, or gets null', () => {
  expect(rotation({}).choose()).toBeNull()
  expect(rotation({ fallback: { rr: {} } }).choose()).toBe('a')
})

it('finds an endpoint by any of its names, and endpoints that share a name take turns', () => {
  const chooser = rotation({}, (name) => [name, `id-${name}`, name === 'c' ? '10.0.0.2' : '10.0.0.1'])
  expect(chooser.choose(to('id-b'))).toBe('b')
  expect(Array.from({ length: 4 }, () => chooser.choose(to('10.0.0.1'))).join('')).toBe('abab')
  chooser.leave('a')
  expect(Array.from({ length: 2 }, () => chooser.choose(to('10.0.0.1'))).join('')).toBe('bb')
})

it('follows an endpoint whose name changes', () => {
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
