import { afterEach, beforeEach, expect, test } from 'vitest'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { until } from '../support/disco.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const TARGET = 'etcd:///hello'

let backends: Backend[]
let addrs: [string, string, string]
let discovery: ScriptedDiscovery

beforeEach(async () => {
  backends = await Backend.startMany(3)
  addrs = backends.map(({ addr }) => addr) as [string, string, string]
  discovery = ScriptedDiscovery.installed()
  discovery.list(...addrs.map((addr) => ({ addr })))
})
afterEach(() => {
  for (const backend of backends) backend.stop()
})

test('an endpoint leaves the rotation on NOT_SERVING, and returns without a reconnect: 10/10/10, 15/0/15, 10/10/10', async () => {
  using connections = new AcceptedConnections()
  using caller = new Caller(TARGET, { health: true })
  await caller.untilRotation(...addrs)
  expect(Object.values(await caller.count(30))).toEqual([10, 10, 10])
  backends[1]?.health?.set('NOT_SERVING')
  await caller.untilRotation(addrs[0], addrs[2])
  expect(await caller.count(30)).toEqual({ [addrs[0]]: 15, [addrs[2]]: 15 })
  backends[1]?.health?.set('SERVING')
  await caller.untilRotation(...addrs)
  expect(Object.values(await caller.count(30))).toEqual([10, 10, 10])
  for (const backend of backends) expect(connections.at(backend)).toBe(1)
})

test.each(['UNKNOWN', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const)(
  'an endpoint that reports %s is not healthy',
  async (status) => {
    backends[0]?.health?.set(status)
    using caller = new Caller(TARGET, { health: true })
    await caller.untilRotation(addrs[1], addrs[2])
    expect(caller.problems.get(addrs[0])).toBe(`${status} (grpc.health.v1)`)
  },
)

test('an endpoint without the health protocol counts as healthy', async () => {
  await using plain = await Backend.start({ health: false })
  discovery.list({ addr: plain.addr })
  using caller = new Caller(TARGET, { health: true })
  await caller.untilRotation(plain.addr)
  expect(await caller.call()).toBe(plain.addr)
})

test('no endpoint is called before it reports SERVING, and calls wait', async () => {
  const [only] = backends
  discovery.list({ addr: addrs[0] })
  only?.health?.hold()
  using caller = new Caller(TARGET, { health: true })
  const waiting = caller.call()
  await until(
    () => caller.problems.get(addrs[0]) === 'its health is not known yet',
    () => 'the connection',
  )
  expect(caller.inRotation).toEqual([])
  only?.health?.set('SERVING')
  expect(await waiting).toBe(addrs[0])
})

test('without a healthy endpoint, calls fail with that reason', async () => {
  for (const backend of backends) backend.health?.set('NOT_SERVING')
  using caller = new Caller(TARGET, { health: true })
  await expect(caller.call()).rejects.toMatchObject({
    code: 14,
    details: expect.stringContaining(`${addrs[0]}: NOT_SERVING (grpc.health.v1)`),
  })
})

test('an endpoint whose health watch breaks is unhealthy until another watch answers', async () => {
  using caller = new Caller(TARGET, { health: true })
  await caller.untilRotation(...addrs)
  backends[2]?.health?.breakWatches()
  await caller.untilRotation(addrs[0], addrs[1])
  expect(caller.problems.get(addrs[2])).toContain('its health watch ended')
  await caller.untilRotation(...addrs)
})

test('health watches that break at the same time are retried at different times', async () => {
  const callers = Array.from({ length: 12 }, () => new Caller(TARGET, { health: true }))
  for (const caller of callers) await caller.untilRotation(...addrs)
  const health = backends[0]?.health
  async function spreadMs(): Promise<number> {
    const before = health?.watchedAtMs.length ?? 0
    health?.breakWatches()
    await until(
      () => health?.watchedAtMs.length === before + callers.length,
      () => 'all to watch again',
    )
    const again = health?.watchedAtMs.slice(before) ?? []
    return Math.max(...again) - Math.min(...again)
  }
  // Each wait is between half a second and a second, so twelve waits within a tenth of a second are one case in
  // millions. But on a busy machine that stalls for half a second, all retries may run at once.
  const spreadsMs: number[] = []
  while (spreadsMs.length < 3 && !spreadsMs.some((ms) => ms > 100)) spreadsMs.push(await spreadMs())
  for (const caller of callers) caller[Symbol.dispose]()
  expect(Math.max(...spreadsMs)).toBeGreaterThan(100)
})

test('without the option, health is not watched', async () => {
  backends[0]?.health?.set('NOT_SERVING')
  using caller = new Caller(TARGET)
  await caller.untilRotation(...addrs)
})

test('the configured service name is sent in the health watch', async () => {
  using caller = new Caller(TARGET, { health: 'test.Backend' })
  await caller.untilRotation(...addrs)
  expect(backends[0]?.health?.lastQuestion).toBe('test.Backend')
  using plain = new Caller(TARGET, { health: true })
  await plain.untilRotation(...addrs)
  expect(backends[0]?.health?.lastQuestion).toBe('')
})
