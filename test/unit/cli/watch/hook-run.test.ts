import { describe, expect, it } from 'vitest'
import type { EventDoc } from '../../../../src/cli/watch/document.js'
import { hookRun, type WatchedList } from '../../../../src/cli/watch/hook-run.js'
import { ALL_ENDPOINTS } from '../../../../src/domain/endpoint-filter.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { EMPTY_SNAPSHOT, groupByKey } from '../../../../src/domain/snapshot.js'
import { endpoint } from '../../../support/endpoints.js'

const SYNCED: EventDoc = {
  schema: 'disco.event/v1',
  type: 'synced',
  rev: '7',
  endpoints: 1,
  weight: 1,
  weightsUnset: false,
}
const WEIGHT: EventDoc = {
  schema: 'disco.event/v1',
  type: 'weight',
  rev: '8',
  service: 'he\u001bllo\0',
  key: '/x',
  addr: '127.0.0.1:1\n',
  version: '',
  layout: 'seed',
  from: 1,
  to: 2,
  share: { from: 1, to: 1 },
}

function snapshotOf(...addrs: string[]) {
  return { revision: 7, byKey: groupByKey(addrs.map((addr) => endpoint({ addr }))) }
}

const live = (...addrs: string[]) => ({ snapshot: snapshotOf(...addrs), stale: null })
const AWAY = new DiscoError('ETCD_UNREACHABLE', 'away')

function listOf(service: string | undefined, lists: Parameters<typeof hookRun>[2]) {
  const run = hookRun(SYNCED, { service, filter: { ...ALL_ENDPOINTS, host: '127.0.0.1' } }, lists)
  return JSON.parse([...run.snapshot()].join('\n')) as Record<string, unknown>
}

describe('the hook command for an event', () => {
  it('has variables without control characters, and the exact texts in JSON', () => {
    const { env, input, name } = hookRun(WEIGHT, { service: undefined, filter: ALL_ENDPOINTS }, new Map())
    expect(env).toEqual({
      DISCO_TYPE: 'weight',
      DISCO_SERVICE: 'he\\u001bllo\\u0000',
      DISCO_ADDR: '127.0.0.1:1\\u000a',
      DISCO_REV: '8',
      DISCO_FROM: '1',
      DISCO_TO: '2',
    })
    expect(JSON.parse(input)).toEqual(WEIGHT)
    expect(input).toMatch(/^[ -~]+\n$/)
    expect(name).toContain('weight')
  })

  it('sets every variable, so that it inherits none from an enclosing hook', () => {
    const { env } = hookRun(SYNCED, { service: 'hello', filter: ALL_ENDPOINTS }, new Map())
    const empty = { DISCO_SERVICE: '', DISCO_ADDR: '', DISCO_FROM: '', DISCO_TO: '' }
    expect(env).toEqual({ DISCO_TYPE: 'synced', DISCO_REV: '7', ...empty })
  })

  it('receives the endpoints selected at its start, not at its event', () => {
    const lists = new Map([[undefined, live('127.0.0.1:1')]])
    const run = hookRun(SYNCED, { service: 'hello', filter: ALL_ENDPOINTS }, lists)
    lists.set(undefined, live('127.0.0.1:1', '127.0.0.1:2'))
    expect([...run.snapshot()].join('\n').match(/"addr"/g)).toHaveLength(2)
    const one = listOf('hello', new Map([[undefined, live('127.0.0.1:1', '127.0.0.2:1')]]))
    expect(one).toMatchObject({
      schema: 'disco.endpoints/v1',
      rev: '7',
      endpoints: [{ addr: '127.0.0.1:1' }],
    })
    const all = listOf(undefined, new Map([[undefined, live('127.0.0.1:1', '127.0.0.2:1')]]))
    expect(all).toMatchObject({
      schema: 'disco.selected/v1',
      services: [{ service: 'hello', endpoints: [{ addr: '127.0.0.1:1' }] }],
    })
    const none = listOf('hello', new Map([[undefined, { snapshot: EMPTY_SNAPSHOT, stale: null }]]))
    expect(none).toMatchObject({ endpoints: [] })
  })

  it('receives which of several registries are out of date, and which were never read', () => {
    const lists = new Map<string, WatchedList>([
      ['dc1', live('127.0.0.1:1')],
      ['dc2', { snapshot: snapshotOf('127.0.0.1:2'), stale: AWAY }],
      ['dc3', { snapshot: null, stale: AWAY }],
    ])
    for (const service of ['hello', undefined]) {
      expect(listOf(service, lists).registries).toEqual([
        { registry: 'dc1', rev: '7', problem: null },
        { registry: 'dc2', rev: '7', problem: 'away' },
        { registry: 'dc3', rev: null, problem: 'away' },
      ])
    }
  })
})
