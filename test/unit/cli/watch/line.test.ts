import { describe, expect, it } from 'vitest'
import { type EventDoc, eventDoc } from '../../../../src/cli/watch/document.js'
import { EventLog } from '../../../../src/cli/watch/line.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { apply, EMPTY_SNAPSHOT } from '../../../../src/domain/snapshot.js'
import type { RegistryEvent } from '../../../../src/registry/events.js'
import { endpoint } from '../../../support/endpoints.js'
import { colored, plain, withoutColors } from '../../../support/palettes.js'

const NOON = new Date(2026, 0, 2, 12, 4, 9)
const a = endpoint({ addr: 'a:1', weight: 10 })
const broken = endpoint({
  addr: 'b:1',
  weight: 9,
  problem: { kind: 'unreadable', text: 'value is \u009bnot JSON' },
})
const share = { from: 0.73333, to: 0.55555 }

function docOf(event: RegistryEvent, endpoints = [a, broken]): EventDoc {
  const snapshot = apply(EMPTY_SNAPSHOT, { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 })
  return eventDoc({ event, snapshot }, 'hello')
}

function line(event: RegistryEvent, endpoints = [a, broken]): string {
  return new EventLog(plain).line(docOf(event, endpoints), NOON)
}

const revision = 1043
const stale: RegistryEvent = {
  type: 'stale',
  sinceMs: 0,
  cause: new DiscoError('ETCD_UNREACHABLE', 'refused\nby 127.0.0.1:2379'),
}

describe('a log line', () => {
  it.each<[string, RegistryEvent, string]>([
    ['synced', { type: 'synced', revision }, 'rev 1043  synced   2 endpoints, weight 10'],
    [
      'added',
      { type: 'added', revision, endpoint: a, share },
      'rev 1043  + added  hello a:1  v1.0.0 weight 10  share 55.6%',
    ],
    [
      'added without a version',
      { type: 'added', revision, endpoint: { ...a, version: '' }, share },
      'rev 1043  + added  hello a:1  weight 10  share 55.6%',
    ],
    [
      'added, but unreadable',
      { type: 'added', revision, endpoint: broken, share: { from: 0, to: 0 } },
      'rev 1043  + added  hello b:1  value is \\u009bnot JSON  share 0.0%',
    ],
    [
      'weight',
      { type: 'weight', revision, endpoint: a, from: 11, to: 5, share },
      'rev 1043  ~ weight hello a:1  11 → 5  share 73.3% → 55.6%',
    ],
    [
      'updated',
      { type: 'updated', revision, endpoint: { ...a, lease: '000000000000bf0f' }, before: a, share },
      'rev 1043  ~ updated hello a:1  weight 10, lease …bf0f',
    ],
    [
      'updated, its lease taken off',
      { type: 'updated', revision, endpoint: { ...a, lease: null }, before: a, share },
      'rev 1043  ~ updated hello a:1  weight 10, no lease',
    ],
    [
      'gone with its lease',
      { type: 'gone', revision, endpoint: { ...a, lease: '000000000000bf0f' }, share, reason: 'lease ended' },
      'rev 1043  - gone   hello a:1  lease …bf0f ended',
    ],
    [
      'gone on purpose',
      { type: 'gone', revision, endpoint: a, share, reason: 'deregistered' },
      'rev 1043  - gone   hello a:1  deregistered',
    ],
    [
      'gone, for an unknown reason',
      { type: 'gone', revision, endpoint: a, share },
      'rev 1043  - gone   hello a:1  unknown',
    ],
    ['stale', stale, '--------  ! STALE: the last list is kept; etcd lost: refused\\u000aby 127.0.0.1:2379'],
    [
      'resync',
      { type: 'resync', revision, missedRevisions: 2, changes: 1 },
      'rev 1043  resync   missed 2 revisions, 1 change applied',
    ],
    [
      'resync with everything still to come',
      { type: 'resync', revision, missedRevisions: null, changes: 0 },
      'rev 1043  resync   etcd is back; the missed changes follow',
    ],
  ])('%s', (_, event, text) => {
    expect(line(event)).toBe(`12:04:09  ${text}`)
    expect(withoutColors(new EventLog(colored).line(docOf(event), NOON))).toBe(`12:04:09  ${text}`)
  })

  it('shows that weights are unset where all are 0', () => {
    expect(line({ type: 'synced', revision: 1 }, [{ ...a, weight: 0 }])).toBe(
      '12:04:09  rev 1     synced   1 endpoint, weights unset',
    )
  })
})

describe('an event as JSON', () => {
  it('has its type as the second field, revisions and leases as text, and shares with four digits', () => {
    const doc = docOf({ type: 'weight', revision, endpoint: a, from: 11, to: 10, share })
    expect(Object.keys(doc).slice(0, 2)).toEqual(['schema', 'type'])
    expect(doc).toEqual({
      schema: 'disco.event/v1',
      type: 'weight',
      rev: '1043',
      service: 'hello',
      key: a.key,
      addr: 'a:1',
      version: '1.0.0',
      layout: 'seed',
      from: 11,
      to: 10,
      share: { from: 0.7333, to: 0.5556 },
    })
    expect(
      docOf({ type: 'gone', revision, endpoint: { ...a, lease: '00000000000000ff' }, share }),
    ).toMatchObject({
      type: 'gone',
      reason: 'unknown',
      lease: '00000000000000ff',
    })
  })

  it('shows since when the list is stale, and excludes unreadable endpoints from the weight', () => {
    expect(docOf(stale)).toMatchObject({ type: 'stale', since: '1970-01-01T00:00:00.000Z' })
    expect(docOf({ type: 'synced', revision })).toMatchObject({
      endpoints: 2,
      weight: 10,
      weightsUnset: false,
    })
  })
})
