import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { eventsBetween } from '../../../src/domain/events.js'
import { apply, EMPTY_SNAPSHOT, type Snapshot } from '../../../src/domain/snapshot.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

function snapshotOf(...endpoints: Endpoint[]): Snapshot {
  return apply(EMPTY_SNAPSHOT, { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 })
}

const before = endpoint({ weight: 1, modRevision: 1 })

describe('eventsBetween', () => {
  it('reports leaves, then joins', () => {
    const gone = endpoint({ addr: 'gone:1' })
    const added = endpoint({ addr: 'added:1' })
    expect(eventsBetween(snapshotOf(gone, before), snapshotOf(added, before))).toEqual([
      { type: 'gone', endpoint: gone },
      { type: 'added', endpoint: added },
    ])
  })

  it('reports a change of the weight only, with both weights', () => {
    const now = { ...before, weight: 5, modRevision: 2 }
    expect(eventsBetween(snapshotOf(before), snapshotOf(now))).toEqual([
      { type: 'weight', endpoint: now, from: 1, to: 5 },
    ])
  })

  it.each<[string, Partial<Endpoint>]>([
    ['nothing, but it was written again', {}],
    ['the lease, too', { weight: 5, lease: null }],
    ['the version, too', { weight: 5, version: '2.0.0' }],
    ['the id, too', { weight: 5, id: 'x' }],
    ['the metadata, too', { weight: 5, metadata: { zone: 'b' } }],
    ['into something unreadable', { weight: 0, problem: NOT_JSON }],
  ])('reports any other change as an update: %s', (_, change) => {
    const now = { ...before, ...change, modRevision: 2, key: before.key }
    expect(eventsBetween(snapshotOf(before), snapshotOf(now))).toEqual([
      { type: 'updated', endpoint: now, before },
    ])
  })

  it('reports nothing for unchanged keys', () => {
    expect(eventsBetween(snapshotOf(before), snapshotOf({ ...before }))).toEqual([])
  })

  it('distinguishes two keys with one address, and two addresses of one key', () => {
    const twin = endpoint({ key: '/other', addr: before.addr })
    const sibling = endpoint({ key: before.key, addr: 'b:1' })
    expect(eventsBetween(snapshotOf(before), snapshotOf(before, twin, sibling))).toEqual([
      { type: 'added', endpoint: sibling },
      { type: 'added', endpoint: twin },
    ])
  })

  it('compares only the given keys', () => {
    const seen = endpoint({ addr: 'seen:1' })
    const unseen = endpoint({ addr: 'unseen:1' })
    expect(eventsBetween(EMPTY_SNAPSHOT, snapshotOf(seen, unseen), [seen.key])).toEqual([
      { type: 'added', endpoint: seen },
    ])
  })
})
