import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Backend } from '../support/backend.js'
import { backendPair } from '../support/backend-pair.js'
import { Caller } from '../support/caller.js'
import { freePorts } from '../support/ports.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const [a, b] = await backendPair()
let discovery: ScriptedDiscovery

beforeEach(() => {
  discovery = ScriptedDiscovery.installed()
})

describe('a target of another scheme is balanced with equal weights', () => {
  test.each(['weighted_round_robin', 'round_robin'])('as a static list under %s', async (policy) => {
    using caller = new Caller(`ipv4:${a.addr},${b.addr}`, { policy })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(10)).toEqual({ [a.addr]: 5, [b.addr]: 5 })
    expect([...caller.weights.values()]).toEqual([1, 1])
  })

  test('as a static list under pick_first, which uses the first address of the list', async () => {
    const [first, second] = [a.addr, b.addr].sort().reverse() as [string, string]
    using caller = new Caller(`ipv4:${first},${second}`, { policy: 'pick_first' })
    await caller.untilRotation(first, second)
    expect(await caller.count(5)).toEqual({ [first]: 5 })
  })

  test('as a static list, pinned to an address', async () => {
    using caller = new Caller(`ipv4:${a.addr},${b.addr}`, { policy: 'pinned', parameters: { to: b.addr } })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(3)).toEqual({ [b.addr]: 3 })
  })

  test('as a static list in which a repeated address counts as one endpoint', async () => {
    using caller = new Caller(`ipv4:${a.addr},${b.addr},${a.addr}`)
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(4)).toEqual({ [a.addr]: 2, [b.addr]: 2 })
  })

  test.each([
    ['dns:///', () => `dns:///${a.addr}`],
    ['dns:/// with a name', () => `dns:///localhost:${a.addr.split(':')[1]}`],
    ['no scheme', () => a.addr],
  ])('with the scheme %s', async (_, target) => {
    using caller = new Caller(target(), { health: true })
    expect(await caller.call()).toBe(a.addr)
    expect(caller.inRotation).toContain(a.addr)
  })

  test('as a Unix domain socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'disco-'))
    try {
      await using backend = await Backend.start({ listen: `unix:${folder}/socket` })
      using caller = new Caller(backend.addr, { policy: 'least_request' })
      expect(await caller.call()).toBe(backend.addr)
    } finally {
      rmSync(folder, { recursive: true, maxRetries: 5 })
    }
  })
})

describe('a selector', () => {
  const canary = () => ({ addr: a.addr, version: '2.0.0', metadata: { zone: 'b' } })
  const stable = () => ({ addr: b.addr, version: '1.0.0', metadata: { zone: 'b' } })

  test.each([
    ['etcd:///hello?version=2.0.0&zone=b', ['a']],
    ['etcd://2.0.0/hello', ['a']],
    ['etcd://1.0.0/hello?zone=b', ['b']],
    ['etcd:///hello?zone=b', ['a', 'b']],
  ])('with %s uses only the selected endpoints', async (target, selected) => {
    discovery.list(canary(), stable())
    const addrs = selected.map((name) => (name === 'a' ? a.addr : b.addr))
    using caller = new Caller(target)
    await caller.untilRotation(...addrs)
    expect(Object.keys(await caller.count(4)).sort()).toEqual(addrs.sort())
  })

  test('that selects no endpoint makes calls fail with the selection in the error', async () => {
    discovery.list(stable())
    using caller = new Caller('etcd:///hello?version=2.0.0')
    await expect(caller.call()).rejects.toMatchObject({
      code: 14,
      details:
        'No endpoint to dial. hello has 1 registered endpoints; the target selects endpoints with version=2.0.0',
    })
  })

  test('with spill-over uses the other endpoints while the canaries are missing or drained', async () => {
    discovery.list(stable())
    using caller = new Caller('etcd:///hello?version=2.0.0&spill-over')
    await caller.untilRotation(b.addr)
    discovery.put(canary())
    await caller.untilRotation(a.addr)
    expect(await caller.count(3)).toEqual({ [a.addr]: 3 })
    discovery.put({ ...canary(), weight: 0 })
    await caller.untilRotation(b.addr)
    discovery.put(canary())
    await caller.untilRotation(a.addr)
    discovery.delete(canary())
    await caller.untilRotation(b.addr)
    expect(await caller.count(3)).toEqual({ [b.addr]: 3 })
  })
})

describe('http_proxy in the environment', () => {
  const before = { ...process.env }
  beforeEach(async () => {
    const [unusedPort] = await freePorts(1)
    for (const name of ['http_proxy', 'https_proxy', 'grpc_proxy']) {
      process.env[name] = `http://127.0.0.1:${unusedPort}`
    }
  })
  afterEach(() => {
    process.env = { ...before }
  })

  test.each([
    ['etcd:///hello', () => 'etcd:///hello'],
    ['dns:///', () => `dns:///${a.addr}`],
    ['ipv4:', () => `ipv4:${a.addr}`],
  ])('has no effect on %s', async (_, target) => {
    discovery.list({ addr: a.addr })
    using caller = new Caller(target())
    expect(await caller.call()).toBe(a.addr)
  })

  test('would have an effect without the channel option that we set', async () => {
    discovery.list({ addr: a.addr })
    setLogVerbosity(logVerbosity.NONE)
    using caller = new Caller('etcd:///hello', {}, { 'grpc.enable_http_proxy': 1 })
    await expect(caller.call()).rejects.toMatchObject({ code: 14 })
    setLogVerbosity(logVerbosity.ERROR)
  })
})
