import { Metadata } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setHashKey } from '../../src/grpc/balancer/picker.js'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { deadEndpoints } from '../support/dead-endpoints.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const TARGET = 'etcd:///hello'

const { refused, mute, swallowed, reset } = await deadEndpoints()

let backends: Backend[]
let discovery: ScriptedDiscovery

beforeAll(async () => {
  backends = await Backend.startMany(100)
})
afterAll(() => {
  for (const backend of backends) backend.stop()
})
beforeEach(() => {
  discovery = ScriptedDiscovery.installed()
})

/** Every policy, with parameters under which it picks among all addresses of the first three backends. */
const POLICIES = [
  ['weighted_round_robin', {}],
  ['round_robin', {}],
  ['random', {}],
  ['weighted_random', {}],
  ['least_request', {}],
  ['least_request', { choiceCount: 2 }],
  ['ring_hash', {}],
  ['source_hash', {}],
  ['pick_first', {}],
  ['pinned', { fallback: { random: {} } }],
] as const

describe.each(POLICIES)('%s %j', (policy, parameters) => {
  test('picks only endpoints that are READY, healthy and not drained', async () => {
    const [good, drained, sick, ...rest] = backends
    if (!good || !drained || !sick) throw new Error('a hundred backends were started')
    sick.health?.set('NOT_SERVING')
    discovery.list(
      ...[good, sick, ...rest.slice(0, 1)].map(({ addr }) => ({ addr, weight: 2 })),
      { addr: drained.addr, weight: 0 },
      ...[refused, mute, swallowed, reset].map((addr) => ({ addr, weight: 5 })),
    )
    using caller = new Caller(TARGET, { policy, parameters, health: true })
    const healthy = [good.addr, rest[0]?.addr ?? '']
    await caller.untilRotation(...healthy)
    const before = [drained.calls, sick.calls]
    for (let call = 0; call < 60; call++) {
      expect(healthy).toContain(await caller.call(setHashKey(new Metadata(), `key-${call}`)))
    }
    expect([drained.calls, sick.calls]).toEqual(before)
    sick.health?.set('SERVING')
    await caller.untilRotation(...healthy, sick.addr)
  })

  test('keeps its connections while lists and weights change and other endpoints are removed', async () => {
    const addrs = backends.map(({ addr }) => addr)
    using connections = new AcceptedConnections()
    discovery.list(...addrs.map((addr) => ({ addr, weight: 3 })))
    using caller = new Caller(TARGET, { policy, parameters })
    await caller.untilRotation(...addrs)
    discovery.list(...addrs.map((addr, at) => ({ addr, weight: at + 1 })))
    discovery.delete({ addr: addrs.at(-1) ?? '' })
    await caller.untilRotation(...addrs.slice(0, -1))
    discovery.put({ addr: addrs[0] ?? '', weight: 9 })
    await caller.count(20)
    for (const backend of backends.slice(0, -1)) expect(connections.at(backend)).toBe(1)
  })
})
