import { describe, expect, it } from 'vitest'
import type { Listing } from '../../../src/etcd/list.js'
import type { KeyValue } from '../../../src/etcd/pairs.js'
import { WatchState } from '../../../src/etcd/watch-state.js'

function kv(key: string, modRevision: number, value = 'v'): KeyValue {
  return { key, value: Buffer.from(value), lease: null, createRevision: 1, modRevision }
}

function listing(revision: number, kvs: readonly KeyValue[], clusterId = 'c1', raftTerm = 2): Listing {
  return { clusterId, raftTerm, revision, kvs }
}

function header({ clusterId = 'c1', revision = 7, raftTerm = 2 } = {}) {
  return { clusterId, revision, raftTerm }
}

function stateAfter(...kvs: readonly KeyValue[]): WatchState {
  const made = new WatchState()
  made.catchUp(listing(7, kvs))
  return made
}

describe('a new list', () => {
  it('reports every key the first time, ordered by revision', () => {
    const events = new WatchState().catchUp(listing(7, [kv('a', 5), kv('b', 3)]))
    expect(events.map((event) => event.type === 'put' && event.kv.key)).toEqual(['b', 'a'])
  })

  it('reports nothing for an equal list', () => {
    const before = stateAfter(kv('a', 5), kv('b', 3))
    expect(before.catchUp(listing(9, [kv('a', 5), kv('b', 3)]))).toEqual([])
    expect(before.revision).toBe(9)
  })

  it('reports differences: deletions first, then writes, by revision', () => {
    const before = stateAfter(kv('a', 5), kv('b', 3), kv('c', 2))
    expect(before.catchUp(listing(12, [kv('b', 11), kv('c', 2), kv('d', 9)]))).toEqual([
      { type: 'delete', key: 'a' },
      { type: 'put', kv: kv('d', 9) },
      { type: 'put', kv: kv('b', 11) },
    ])
    expect(before.catchUp(listing(12, [kv('b', 11), kv('c', 2), kv('d', 9)]))).toEqual([])
  })

  it('of another cluster reports keys that have the same revision by coincidence', () => {
    expect(stateAfter(kv('a', 5, 'old')).catchUp(listing(6, [kv('a', 5, 'new')], 'c2'))).toHaveLength(1)
  })

  it('is compared with the state after the events', () => {
    const before = stateAfter(kv('a', 5))
    expect(before.advance(8, [{ type: 'put', kv: kv('b', 8) }])).toBe(true)
    expect(before.advance(9, [{ type: 'delete', key: 'a' }])).toBe(true)
    expect(before.catchUp(listing(9, [kv('b', 8)]))).toEqual([])
  })
})

it('a revision is applied once', () => {
  const before = stateAfter()
  expect(before.advance(8, [{ type: 'put', kv: kv('b', 8) }])).toBe(true)
  expect(before.advance(8, [{ type: 'put', kv: kv('b', 8) }])).toBe(false)
  expect(before.advance(7, [{ type: 'delete', key: 'b' }])).toBe(false)
  expect(before.catchUp(listing(8, [kv('b', 8)]))).toEqual([])
})

describe('the resumption of a watch', () => {
  it.each([
    ['in the same cluster at the same revision', header(), true],
    ['in the same cluster at a later one, in a later term', header({ revision: 9, raftTerm: 3 }), true],
    ['not in another cluster', header({ clusterId: 'c2', revision: 9 }), false],
    ['not in a cluster that was set back', header({ revision: 6 }), false],
    ['not in one that was restored and has come as far again', header({ revision: 9, raftTerm: 1 }), false],
  ])('%s', (_, at, holds) => {
    expect(stateAfter(kv('a', 5)).canResumeAt(at)).toBe(holds)
  })

  it('needs a list first, and a new list after an invalidation', () => {
    const fresh = new WatchState()
    expect(fresh.isInvalid).toBe(true)
    fresh.catchUp(listing(7, []))
    expect(fresh.isInvalid).toBe(false)
    fresh.invalidate()
    expect(fresh.isInvalid).toBe(true)
  })
})
