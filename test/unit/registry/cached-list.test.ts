import { expect, it } from 'vitest'
import type { EndpointProblem } from '../../../src/domain/endpoint.js'
import { readCachedList } from '../../../src/registry/cached-list.js'
import { endpoint } from '../../support/endpoints.js'

const SEEN_AT_MS = 1_790_000_000_000

function readBack(stored: object) {
  const list = { revision: 5, seenAtMs: SEEN_AT_MS, endpoints: [stored] }
  return readCachedList(JSON.parse(JSON.stringify(list)), 'hello')?.endpoints ?? null
}

it.each<EndpointProblem>([
  { kind: 'not-dialled', text: 'speaks http, not gRPC' },
  { kind: 'unreadable', text: 'value is not JSON' },
  { kind: 'misplaced', text: 'value names /b', belongsAt: '/b', rootHint: null },
  { kind: 'misplaced', text: 'value names /b', belongsAt: '/b', rootHint: '/prod' },
])('keeps the problem of an endpoint that is not dialled: %j', (problem) => {
  const stored = endpoint({ problem })
  expect(readBack(stored)).toEqual([stored])
})

it.each([0, 7, 0.5, 1e-9, Number.MAX_VALUE])('keeps a weight that its layout can parse: %d', (weight) => {
  expect(readBack(endpoint({ weight }))).toEqual([endpoint({ weight })])
})

it.each([
  [{ problem: 'speaks http, not gRPC' }, { kind: 'not-dialled', text: 'speaks http, not gRPC' }],
  [
    { problem: 'value names /b: try --root /prod', unreadable: true, rootHint: '/prod' },
    { kind: 'unreadable', text: 'value names /b: try --root /prod' },
  ],
])('reads a list that was written before problems had a kind: %j', (former, problem) => {
  expect(readBack({ ...endpoint(), ...former })).toEqual([{ ...endpoint(), problem }])
})

it.each([
  { problem: { kind: 'other', text: 'a' } },
  { problem: { kind: 'unreadable' } },
  { problem: { kind: 'misplaced', text: 'a', belongsAt: '/b' } },
  { problem: 5 },
  { weight: -1 },
  { weight: '1' },
  { weight: null },
])('refuses a value of another form: %j', (damage) => {
  expect(readBack({ ...endpoint(), ...damage })).toBeNull()
})
