import { describe, expect, it } from 'vitest'
import { DiscoError } from '../../../src/domain/errors.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../../src/domain/snapshot.js'
import { endpoint } from '../../support/endpoints.js'

const a = endpoint({ key: '/k1', addr: 'a:1' })
const b = endpoint({ key: '/k1', addr: 'b:1' })
const c = endpoint({ key: '/k2', addr: 'a:1' })
const fromEtcd = { type: 'reset', source: 'etcd', ageMs: 0 } as const
const reset = apply(EMPTY_SNAPSHOT, { ...fromEtcd, revision: 7, endpoints: [a, c, b] })

describe('a reset', () => {
  it('replaces the whole list', () => {
    const after = apply(reset, { ...fromEtcd, revision: 9, endpoints: [c] })
    expect(after).toEqual({ revision: 9, byKey: new Map([['/k2', [c]]]) })
  })

  it('groups addresses that share a key, and keeps keys that share an address apart', () => {
    expect(reset.revision).toBe(7)
    expect([...reset.byKey]).toEqual([
      ['/k1', [a, b]],
      ['/k2', [c]],
    ])
    expect(endpointsOf(reset)).toEqual([a, b, c])
  })

  it('may confirm an empty list', () => {
    expect(apply(reset, { ...fromEtcd, revision: 8, endpoints: [] }).byKey.size).toBe(0)
  })
})

describe('changes', () => {
  it('replace all endpoints of a key, delete keys, add keys, and keep the others', () => {
    const d = endpoint({ key: '/k3', addr: 'd:1' })
    const after = apply(reset, {
      type: 'changes',
      revision: 8,
      changes: [
        { type: 'put', key: '/k1', endpoints: [b] },
        { type: 'delete', key: '/k2' },
        { type: 'put', key: '/k3', endpoints: [d] },
      ],
    })
    expect(after.revision).toBe(8)
    expect(endpointsOf(after)).toEqual([b, d])
  })

  it('return a new snapshot: the previous one is unchanged', () => {
    apply(reset, { type: 'changes', revision: 8, changes: [{ type: 'delete', key: '/k1' }] })
    expect(endpointsOf(reset)).toEqual([a, b, c])
    expect(EMPTY_SNAPSHOT).toEqual({ revision: 0, byKey: new Map() })
  })

  it('ignore the deletion of an unknown key', () => {
    const after = apply(reset, { type: 'changes', revision: 8, changes: [{ type: 'delete', key: '/x' }] })
    expect(endpointsOf(after)).toEqual([a, b, c])
  })
})

it('keep the last list as stale while etcd is unreachable, and after a resync without changes', () => {
  const cause = new DiscoError('ETCD_UNREACHABLE', 'away')
  const resync = { type: 'resync', revision: 7, missedRevisions: null, changes: [] } as const
  expect(apply(reset, { type: 'stale', sinceMs: 0, cause }, resync)).toBe(reset)
})

it('applied together equal the same updates one by one', () => {
  const deleted = { type: 'changes', revision: 8, changes: [{ type: 'delete', key: '/k1' }] } as const
  const put = { type: 'put', key: '/k1', endpoints: [b] } as const
  const resync = { type: 'resync', revision: 9, missedRevisions: 1, changes: [put] } as const
  expect(apply(reset, deleted, resync)).toEqual(apply(apply(reset, deleted), resync))
  expect(endpointsOf(apply(reset, deleted, resync))).toEqual([c, b])
})
