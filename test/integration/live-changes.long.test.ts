import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { install } from '../../src/grpc/install.js'
import { POLICIES } from '../../src/policies/index.js'
import { Registry } from '../../src/registry/registry.js'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend } from '../support/backend.js'
import { Caller, SteadyCalls } from '../support/caller.js'
import type { Etcd } from '../support/etcd.js'
import { registration, wipe } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const CALLS_PER_SECOND = 200

let etcd: Etcd
let registry: Registry
let backends: Backend[]

beforeAll(async () => {
  etcd = await sharedEtcd()
})
beforeEach(async () => {
  backends = await Backend.startMany(4)
  registry = await Registry.open({
    endpoints: [etcd.endpoint],
    endpointsSource: 'the test',
    cache: false,
    commandTimeoutMs: 20_000,
    dialTimeoutMs: 1_000,
  })
  install({ discovery: registry })
})
afterEach(async () => {
  registry.close()
  for (const backend of backends) backend.stop()
  await wipe(etcd)
})

const put = (addr: string, weight = 2) =>
  etcd.ctl('put', ...registration('hello', addr, { version: '1', weight }))
const remove = (addr: string) => etcd.ctl('del', `/hello/1/${addr}`)

describe.each(POLICIES.map(({ name }) => name))(`under ${CALLS_PER_SECOND} calls a second, %s`, (policy) => {
  test('loses no call and no connection during a weight change, an addition, a drain, a removal and a health change', async () => {
    const [first, second, flipped, newcomer] = backends.map(({ addr }) => addr) as [
      string,
      string,
      string,
      string,
    ]
    using connections = new AcceptedConnections()
    for (const addr of [first, second, flipped]) await put(addr)
    const parameters = policy === 'pinned' ? { to: second, fallback: { round_robin: {} } } : {}
    using caller = new Caller('etcd:///hello', { policy, parameters, health: true })
    await caller.untilRotation(first, second, flipped)
    const calls = new SteadyCalls(caller, CALLS_PER_SECOND)
    await calls.more(50)

    await put(first, 9)
    await calls.more(50)

    await put(newcomer)
    await caller.untilRotation(first, second, flipped, newcomer)
    await calls.more(50)

    backends[2]?.health?.set('NOT_SERVING')
    await caller.untilRotation(first, second, newcomer)
    await calls.more(50)
    backends[2]?.health?.set('SERVING')
    await caller.untilRotation(first, second, flipped, newcomer)

    await put(second, 0)
    await caller.untilRotation(first, flipped, newcomer)
    // Calls that were already picked may still arrive.
    await calls.settled()
    const drainedAt = backends[1]?.calls
    await calls.more(30)
    expect(backends[1]?.calls).toBe(drainedAt)
    await put(second)
    await caller.untilRotation(first, second, flipped, newcomer)
    await calls.more(50)

    await remove(first)
    await caller.untilRotation(second, flipped, newcomer)
    await calls.settled()
    const removedAt = backends[0]?.calls
    await calls.more(30)
    expect(backends[0]?.calls).toBe(removedAt)

    await calls.end()
    expect(calls.failures).toEqual([])
    expect(backends.reduce((sum, backend) => sum + backend.calls, 0)).toBe(calls.made)
    for (const backend of backends) expect(connections.at(backend)).toBe(1)
  })
})
