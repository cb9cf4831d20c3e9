import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DiscoError } from '../../../../src/domain/errors.js'
import { parseOrigins } from '../../../../src/domain/origins.js'
import { LiveList, type ResolvedList } from '../../../../src/grpc/resolver/live-list.js'
import { endpoint } from '../../../support/endpoints.js'

let delivered: ResolvedList[]

beforeEach(() => {
  vi.useFakeTimers()
  delivered = []
})
afterEach(() => {
  vi.useRealTimers()
})

const listOf = (from: string) => new LiveList((now) => void delivered.push(now), parseOrigins(from))
const reset = (registry: string, ...addrs: readonly string[]) => {
  const endpoints = addrs.map((addr) => endpoint({ addr }))
  return {
    type: 'reset',
    registry,
    revision: registry === 'dc1' ? 41 : 7,
    endpoints,
    source: 'etcd',
    ageMs: 0,
  } as const
}
const stale = (registry: string) => {
  const cause = new DiscoError('ETCD_UNREACHABLE', `${registry} refused`)
  return { type: 'stale', registry, sinceMs: 0, cause } as const
}
const addrs = ({ registered }: ResolvedList) => registered.map(({ addr }) => addr).join()
const lists = () => delivered.filter(({ isNew }) => isNew).map(addrs)

it('holds back the list of a lower priority until the better registry has answered', () => {
  const list = listOf('dc1,dc2')
  list.take(reset('dc2', 'b:1'))
  expect(lists()).toEqual([])
  list.take(reset('dc1', 'a:1'))
  expect(lists()).toEqual(['a:1,b:1'])
})

it('delivers it as soon as the better registry is known to be away', () => {
  const list = listOf('dc1,dc2')
  list.take(reset('dc2', 'b:1'))
  list.take(stale('dc1'))
  expect(lists()).toEqual(['b:1'])
  expect(delivered.at(-1)?.stale).toBeNull()
  expect(delivered.at(-1)?.registries?.map((one) => one.stale?.message ?? null)).toEqual([
    'dc1 refused',
    null,
  ])
})

it('holds it back for at most a second', () => {
  const list = listOf('dc1,dc2')
  list.take(reset('dc2', 'b:1'))
  vi.advanceTimersByTime(999)
  expect(lists()).toEqual([])
  vi.advanceTimersByTime(1)
  expect(lists()).toEqual(['b:1'])
})

it('does not wait for another registry of the same priority or of a lower one', () => {
  listOf('dc1=80,dc2=20').take(reset('dc2', 'b:1'))
  listOf('dc1,dc2').take(reset('dc1', 'a:1'))
  expect(lists()).toEqual(['b:1', 'a:1'])
})

it('delivers an empty list only after all registries have answered', () => {
  const list = listOf('dc1,dc2')
  list.take(reset('dc1'))
  vi.advanceTimersByTime(5_000)
  expect(lists()).toEqual([])
  list.take(reset('dc2', 'b:1'))
  expect(lists()).toEqual(['b:1'])
})

it('keeps the endpoints of a registry that went away, and replaces only the endpoints of the registry that sent a list', () => {
  const list = listOf('dc1,dc2')
  list.take(reset('dc1', 'a:1'))
  list.take(reset('dc2', 'b:1'))
  list.take(stale('dc1'))
  expect(addrs(list.now)).toBe('a:1,b:1')
  list.take(reset('dc2', 'c:1'))
  list.take(reset('dc1'))
  expect([addrs(list.now), list.now.revision]).toEqual(['c:1', 41])
  expect(
    list.now.registries?.map(({ registry, revision, endpoints }) => [registry, revision, endpoints]),
  ).toEqual([
    ['dc1', 41, 0],
    ['dc2', 7, 1],
  ])
})

it('reports all registries if all are away', () => {
  const list = listOf('dc1,dc2')
  list.take(stale('dc1'))
  expect(list.now.stale).toBeNull()
  list.take(stale('dc2'))
  expect(list.now.stale?.message).toBe(
    'None of the registries dc1, dc2 can be used: dc1: dc1 refused; dc2: dc2 refused',
  )
})

it.each([
  ['a new list', reset('dc2', 'c:1'), 'a:1,c:1'],
  ['an outage', stale('dc2'), 'a:1,b:1'],
])('keeps the grace of a deletion in one registry through %s of another', (_, update, after) => {
  const list = listOf('dc1=80,dc2=20')
  list.take(reset('dc1', 'a:1'))
  list.take(reset('dc2', 'b:1'))
  vi.advanceTimersByTime(1_000)
  const { key } = endpoint({ addr: 'a:1' })
  const put = { type: 'put', key, endpoints: [endpoint({ addr: 'a:1' })] } as const
  list.take({ type: 'changes', registry: 'dc1', revision: 42, changes: [{ type: 'delete', key }] })
  list.take(update)
  list.take({ type: 'changes', registry: 'dc1', revision: 43, changes: [put] })
  vi.advanceTimersByTime(1_000)
  expect(delivered.every((now) => addrs(now).includes('a:1'))).toBe(true)
  expect(lists().at(-1)).toBe(after)
  expect(delivered.at(-1)?.registries?.at(1)?.stale === null).toBe(update.type === 'reset')
})
