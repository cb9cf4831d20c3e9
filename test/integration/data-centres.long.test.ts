import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { install } from '../../src/grpc/install.js'
import { combineRegistries } from '../../src/registry/combined/combine.js'
import type { Registry } from '../../src/registry/registry.js'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend } from '../support/backend.js'
import { Caller, SteadyCalls } from '../support/caller.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { openRegistry } from '../support/registry.js'

const NOWHERE = '127.0.0.1:1'

const [dc1, dc2] = await Promise.all([RealEtcd.start(), RealEtcd.start()])
afterAll(() => Promise.all([dc1.stop(), dc2.stop()]))

let opened: Registry[]
let backends: Backend[]
let callers: Caller[]
let connections: AcceptedConnections

beforeEach(() => {
  opened = []
  backends = []
  callers = []
  connections = new AcceptedConnections()
})
afterEach(async () => {
  // A failed test may leave the registries killed.
  await Promise.all([dc1.revive(), dc2.revive()])
  for (const caller of callers) caller.close()
  for (const registry of opened) registry.close()
  await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()))
  connections[Symbol.dispose]()
  await Promise.all([dc1, dc2].map(async (etcd) => await wipe(etcd)))
})

/** A client of `hello` in the registries at these endpoints, under these names. */
async function callerOf(from: string, first = dc1.endpoint, second = dc2.endpoint, cache?: string) {
  const options = cache === undefined ? {} : { cache: { folder: cache } }
  const [one, other] = await Promise.all([openRegistry([first], options), openRegistry([second], options)])
  opened.push(one, other)
  install({ discovery: combineRegistries({ dc1: one, dc2: other }) })
  const caller = new Caller(`etcd:///hello?from=${from}`)
  callers.push(caller)
  return caller
}

async function backend(listen?: string): Promise<Backend> {
  const made = await Backend.start(listen === undefined ? {} : { listen })
  backends.push(made)
  return made
}

const registerIn = (etcd: RealEtcd, ...some: readonly Backend[]) =>
  putAll(
    etcd,
    'hello',
    some.map(({ addr }) => ({ addr, weight: 1 })),
  )

it('a client spills over without a failed call when a data centre is killed under 200 calls/s, and returns with one connection per restarted server', async () => {
  // The first two are started again at the same ports.
  const [first, second] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`)
  const [a, b, c, d] = [await backend(first), await backend(second), await backend(), await backend()]
  await registerIn(dc1, a, b)
  await registerIn(dc2, c, d)
  const caller = await callerOf('dc1,dc2')
  await caller.untilRotation(a.addr, b.addr)
  using calls = new SteadyCalls(caller, 200)
  await calls.more(200)
  expect([c.calls, d.calls]).toEqual([0, 0])

  await dc1.kill()
  await calls.more(200)
  // Without the etcd of dc1, its last list is still used.
  expect([calls.failures, c.calls, d.calls]).toEqual([[], 0, 0])

  await Promise.all([a, b].map((one) => one[Symbol.asyncDispose]()))
  await caller.untilRotation(c.addr, d.addr)
  // Calls that were outstanding at the killed servers fail, some of them with a delay.
  const beforeSpillOver = await calls.settled()
  await calls.more(400)
  expect(calls.failedAfter(beforeSpillOver)).toBe(0)
  expect(c.calls + d.calls).toBeGreaterThanOrEqual(400)

  await dc1.restart()
  const [a2, b2] = [await backend(a.addr), await backend(b.addr)]
  await caller.untilRotation(a.addr, b.addr)
  // Calls that were already picked may still reach the other data centre.
  await calls.settled()
  const atOthers = [c.calls, d.calls]
  await calls.more(400)
  await calls.end()
  expect([calls.failedAfter(beforeSpillOver), c.calls, d.calls]).toEqual([0, ...atOthers])
  expect(a2.calls + b2.calls).toBeGreaterThanOrEqual(400)
  // One connection to each server for the whole test, and a second one to the restarted servers.
  expect([a, b, c, d].map((one) => connections.at(one))).toEqual([2, 2, 1, 1])
})

it('a client keeps a ratio of 80/20 within three points, even if one endpoint of the larger registry is gone', async () => {
  const [a, b, c] = [await backend(), await backend(), await backend()]
  await registerIn(dc1, a, b)
  await registerIn(dc2, c)
  const caller = await callerOf('dc1=80,dc2=20')
  await caller.untilRotation(a.addr, b.addr, c.addr)
  const shareOf = async (calls: number) => ((await caller.count(calls))[c.addr] ?? 0) / calls
  expect(Math.abs((await shareOf(1_000)) - 0.2)).toBeLessThan(0.03)
  await b[Symbol.asyncDispose]()
  await caller.untilRotation(a.addr, c.addr)
  expect(Math.abs((await shareOf(1_000)) - 0.2)).toBeLessThan(0.03)
})

it.each([
  ['dc1,dc2', NOWHERE],
  ['dc2=1,dc1=1', NOWHERE],
])('a client with %s calls at once if the other registry is unavailable at the start', async (from, away) => {
  const local = await backend()
  await registerIn(dc1, local)
  const caller = await callerOf(from, dc1.endpoint, away)
  expect(await caller.call()).toBe(local.addr)
})

it('a client calls the second registry if the first is unavailable at the start', async () => {
  const remote = await backend()
  await registerIn(dc2, remote)
  const caller = await callerOf('dc1,dc2', NOWHERE)
  expect(await caller.call()).toBe(remote.addr)
})

it('a client names both registries if both are unavailable', async () => {
  const caller = await callerOf('dc1,dc2', NOWHERE, NOWHERE)
  const failure = await caller.call().catch((error: Error) => error.message)
  expect(failure).toMatch(/None of the registries dc1, dc2 can be used: dc1: .*; dc2: /)
})

it('a client uses the cached lists if both registries are unavailable', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'disco-centres-'))
  try {
    const [a, c] = [await backend(), await backend()]
    await registerIn(dc1, a)
    await registerIn(dc2, c)
    const before = await callerOf('dc1=1,dc2=1', dc1.endpoint, dc2.endpoint, folder)
    await before.untilRotation(a.addr, c.addr)
    before.close()
    for (const registry of opened) registry.close()
    await until(
      () => import('node:fs').then(({ readdirSync }) => readdirSync(folder).length === 2),
      () => 'both lists in the cache',
    )
    await Promise.all([dc1.kill(), dc2.kill()])
    const after = await callerOf('dc1=1,dc2=1', dc1.endpoint, dc2.endpoint, folder)
    await after.untilRotation(a.addr, c.addr)
    expect(await after.count(10)).toEqual({ [a.addr]: 5, [c.addr]: 5 })
  } finally {
    await Promise.all([dc1.restart(), dc2.restart()])
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
})

it('a client counts an address twice that is registered in both registries', async () => {
  const [shared, own] = [await backend(), await backend()]
  await registerIn(dc1, shared)
  await registerIn(dc2, shared, own)
  const caller = await callerOf('dc1=1,dc2=1')
  await caller.untilRotation(shared.addr, shared.addr, own.addr)
  expect(await caller.count(100)).toEqual({ [shared.addr]: 75, [own.addr]: 25 })
  expect(connections.at(shared)).toBe(1)
})

it('a client refuses a target with names that are not installed', async () => {
  await callerOf('dc1,dc2')
  expect(() => new Caller('etcd:///hello?from=dc1,dc3')).toThrow('No registry "dc3"')
  install({ discovery: opened[0] as Registry })
  expect(() => new Caller('etcd:///hello?from=dc1,dc2')).toThrow('only one is installed')
})
