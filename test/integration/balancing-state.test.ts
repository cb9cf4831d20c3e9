import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { until } from '../support/disco.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const TARGET = 'etcd:///hello'

let backends: Backend[]
let addrs: string[]
let discovery: ScriptedDiscovery

beforeAll(async () => {
  backends = await Backend.startMany(5)
  addrs = backends.map(({ addr }) => addr)
})
afterAll(() => {
  for (const backend of backends) backend.stop()
})
beforeEach(() => {
  discovery = ScriptedDiscovery.installed()
})

const weighted = (weights: readonly number[]) =>
  weights.map((weight, at) => ({ addr: addrs[at] ?? '', weight }))

describe('a rotation continues', () => {
  test.each([
    ['the same list comes again', () => discovery.list(...weighted([1, 1, 1, 1, 10]))],
    [
      'an endpoint is written with the weight it has',
      () => discovery.put({ addr: addrs[0] ?? '', weight: 1 }),
    ],
    ['the registry goes out of reach', () => discovery.lose()],
  ])('without a gap of a whole call when %s', async (_, happen) => {
    discovery.list(...weighted([1, 1, 1, 1, 10]))
    using caller = new Caller(TARGET)
    await caller.untilRotation(...addrs)
    const counts = new Map(addrs.map((addr) => [addr, 0]))
    for (let call = 1; call <= 140; call++) {
      const addr = await caller.call()
      counts.set(addr, (counts.get(addr) ?? 0) + 1)
      for (const [at, weight] of [1, 1, 1, 1, 10].entries()) {
        const gap = (counts.get(addrs[at] ?? '') ?? 0) - (call * weight) / 14
        expect(Math.abs(gap), `after ${call} calls`).toBeLessThan(1)
      }
      if (call % 10 === 3) happen()
    }
    expect([...counts.values()]).toEqual([10, 10, 10, 10, 100])
  })

  test('by weight, from the first call after the change', async () => {
    discovery.list(...weighted([1, 1, 1, 1, 10]))
    using caller = new Caller(TARGET)
    await caller.untilRotation(...addrs)
    await caller.count(14)
    discovery.put({ addr: addrs[4] ?? '', weight: 1 })
    await until(
      () => caller.weights.get(addrs[4] ?? '') === 1,
      () => 'the new weight',
    )
    expect(Object.values(await caller.count(50))).toEqual([10, 10, 10, 10, 10])
  })

  test('equally among all endpoints without weights, and never with a drained one', async () => {
    discovery.list(...weighted([0, 0, 0]))
    using caller = new Caller(TARGET)
    await caller.untilRotation(...addrs.slice(0, 3))
    expect(Object.values(await caller.count(9))).toEqual([3, 3, 3])
    discovery.put({ addr: addrs[0] ?? '', weight: 2 })
    await caller.untilRotation(addrs[0] ?? '')
    expect(await caller.count(5)).toEqual({ [addrs[0] ?? '']: 5 })
  })
})

describe('two keys with one address', () => {
  test('are two endpoints that share a connection', async () => {
    using connections = new AcceptedConnections()
    const [shared = '', other = ''] = addrs
    discovery.list(
      { key: '/hello/1/a', addr: shared, id: 'a', weight: 1 },
      { key: '/hello/1/b', addr: shared, id: 'b', weight: 2 },
      { key: '/hello/1/c', addr: other, id: 'c', weight: 3 },
    )
    using caller = new Caller(TARGET)
    await caller.untilRotation(shared, shared, other)
    expect(await caller.count(60)).toEqual({ [shared]: 30, [other]: 30 })
    discovery.delete({ key: '/hello/1/a', addr: shared })
    await caller.untilRotation(shared, other)
    expect(await caller.count(50)).toEqual({ [shared]: 20, [other]: 30 })
    for (const backend of backends.slice(0, 2)) expect(connections.at(backend)).toBe(1)
  })
})

describe('least_request', () => {
  test.each([{}, { choiceCount: 2 }])(
    'with %j spreads a hundred concurrent calls over four equal endpoints, at most 30 each',
    async (parameters) => {
      discovery.list(...weighted([1, 1, 1, 1]))
      using caller = new Caller(TARGET, { policy: 'least_request', parameters })
      await caller.untilRotation(...addrs.slice(0, 4))
      const answers = await Promise.all(Array.from({ length: 100 }, () => caller.call()))
      for (const addr of addrs.slice(0, 4)) {
        expect(answers.filter((answer) => answer === addr).length).toBeLessThanOrEqual(30)
      }
    },
  )

  test('avoids slow endpoints, and stops counting cancelled calls', async () => {
    const [slow] = backends
    if (!slow) throw new Error('five backends were started')
    discovery.list(...weighted([1, 1]))
    using caller = new Caller(TARGET, { policy: 'least_request' })
    await caller.untilRotation(...addrs.slice(0, 2))
    slow.isHoldingBack = true
    const arrived = () => slow.calls + (backends[1]?.calls ?? 0)
    const before = slow.calls
    const stuck: ReturnType<Caller['start']>[] = []
    while (slow.calls === before) {
      const wanted = arrived() + 1
      stuck.push(caller.start())
      await until(
        () => arrived() >= wanted,
        () => 'the call to arrive',
      )
    }
    expect(await caller.count(20)).toEqual({ [addrs[1] ?? '']: 20 })
    for (const call of stuck) call.cancel()
    await Promise.allSettled(stuck.map(({ answer }) => answer))
    slow.answer()
    const counts = await caller.count(60)
    expect(counts[slow.addr] ?? 0).toBeGreaterThan(10)
  })

  test('lets a stream on a removed endpoint finish, and counts it when the endpoint returns', async () => {
    const [busy, idle] = backends
    if (!busy || !idle) throw new Error('five backends were started')
    discovery.list(...weighted([1]))
    using caller = new Caller(TARGET, { policy: 'least_request' })
    await caller.untilRotation(busy.addr)
    const received: string[] = []
    const stream = caller.hold().on('data', (message: Buffer) => received.push(String(message)))
    const ended = new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject))
    await until(
      () => busy.streams === 1,
      () => 'the stream to open',
    )
    discovery.list({ addr: idle.addr, weight: 1 })
    await caller.untilRotation(idle.addr)
    // Closing a channel makes the pool close every unused connection.
    new Caller(TARGET).close()
    expect(await caller.count(5)).toEqual({ [idle.addr]: 5 })
    discovery.list(...weighted([1, 1]))
    await caller.untilRotation(busy.addr, idle.addr)
    expect(await caller.count(10)).toEqual({ [idle.addr]: 10 })
    busy.release()
    await ended
    expect(received).toEqual([busy.addr, 'last'])
    expect((await caller.count(60))[busy.addr] ?? 0).toBeGreaterThan(10)
  })
})
