import { beforeEach, expect, test } from 'vitest'
import { DiscoError } from '../../src/domain/errors.js'
import { install } from '../../src/grpc/install.js'
import { backendPair } from '../support/backend-pair.js'
import { Caller } from '../support/caller.js'
import { until } from '../support/disco.js'
import { freePorts } from '../support/ports.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const TARGET = 'etcd:///hello'

/** The minimum that grpc-js accepts. */
const IDLE_MS = 1_000

const [a, b] = await backendPair()
let discovery: ScriptedDiscovery

beforeEach(() => {
  discovery = ScriptedDiscovery.installed()
})

test('the resolver starts again after an idle time of the channel, with the current list', async () => {
  discovery.list({ addr: a.addr })
  using caller = new Caller(TARGET, {}, { 'grpc.client_idle_timeout_ms': IDLE_MS })
  expect(await caller.call()).toBe(a.addr)
  await until(
    () => discovery.watchers === 0,
    () => 'the idle channel to stop watching',
  )
  discovery.list({ addr: b.addr })
  expect(await caller.call()).toBe(b.addr)
  expect(discovery.watches).toBe(2)
})

test('the resolver opens one watch, even if refusing endpoints make grpc-js ask for new resolutions', async () => {
  const [refusing] = await freePorts(1)
  discovery.list({ addr: `127.0.0.1:${refusing}` })
  using caller = new Caller(TARGET)
  for (let call = 0; call < 50; call++) await expect(caller.call()).rejects.toMatchObject({ code: 14 })
  expect(discovery.watches).toBe(1)
})

test('the resolver keeps the last list while the registry is unreachable, and follows the registry afterwards', async () => {
  discovery.list({ addr: a.addr })
  using caller = new Caller(TARGET)
  await caller.untilRotation(a.addr)
  discovery.lose()
  expect(await caller.count(3)).toEqual({ [a.addr]: 3 })
  discovery.list({ addr: b.addr })
  await caller.untilRotation(b.addr)
})

test('calls before the first list fail with the error of the registry, and succeed after the list', async () => {
  discovery.lose()
  using caller = new Caller(TARGET)
  await expect(caller.call()).rejects.toMatchObject({ code: 14, details: 'etcd is not reachable' })
  discovery.list({ addr: a.addr })
  await caller.untilRotation(a.addr)
  expect(await caller.call()).toBe(a.addr)
})

test('after an error that ends its watch, the resolver keeps the list and watches again by itself', async () => {
  discovery.list({ addr: a.addr })
  using caller = new Caller(TARGET)
  await caller.untilRotation(a.addr)
  discovery.fail(new DiscoError('ETCD_DENIED', 'etcd: permission denied'))
  await until(
    () => discovery.watchers === 0,
    () => 'the watch to end',
  )
  expect(await caller.count(3)).toEqual({ [a.addr]: 3 })
  discovery.mend()
  discovery.list({ addr: b.addr })
  await caller.untilRotation(b.addr)
})

test('a confirmed empty list empties the channel: calls fail at once, until an endpoint is registered', async () => {
  discovery.list({ addr: a.addr })
  using caller = new Caller(TARGET)
  await caller.untilRotation(a.addr)
  discovery.list()
  await caller.untilRotation()
  await expect(caller.call()).rejects.toMatchObject({
    code: 14,
    details: 'No endpoint to dial. hello has 0 registered endpoints',
  })
  discovery.put({ addr: b.addr })
  await caller.untilRotation(b.addr)
  expect(await caller.call()).toBe(b.addr)
})

test('calls to a service that is empty from the start fail at once with the reason', async () => {
  discovery.list()
  using caller = new Caller(TARGET)
  await expect(caller.call()).rejects.toMatchObject({
    details: 'No endpoint to dial. hello has 0 registered endpoints',
  })
})

test('the error about an empty service names the searched layout, from the first call on', async () => {
  let answer: (text: string) => void = () => undefined
  const explained = () => new Promise<string>((resolve) => (answer = resolve))
  install({ discovery: Object.assign(discovery, { explainEmpty: explained }) })
  discovery.list()
  using caller = new Caller(TARGET)
  const first = caller.call()
  await until(
    () => discovery.watchers === 1,
    () => 'the watch to begin',
  )
  setImmediate(() => answer('layout seed'))
  await expect(first).rejects.toMatchObject({
    details: 'No endpoint to dial. hello has 0 registered endpoints (layout seed)',
  })
  // A later empty list is delivered at once, and a second time with its explanation.
  discovery.put({ addr: a.addr })
  await caller.untilRotation(a.addr)
  discovery.list()
  await caller.untilRotation()
  await expect(caller.call()).rejects.toMatchObject({
    details: 'No endpoint to dial. hello has 0 registered endpoints',
  })
  answer('layout etcd')
  await until(
    async () => `${await caller.call().catch(String)}`.includes('endpoints (layout etcd)'),
    () => 'the explanation of the second list',
  )
})

test('an empty list is delivered even if etcd does not answer the request for its explanation', async () => {
  install({ discovery: Object.assign(discovery, { explainEmpty: () => new Promise<string>(() => {}) }) })
  discovery.list()
  using caller = new Caller(TARGET)
  const first = caller.call()
  await until(
    () => discovery.watchers === 1,
    () => 'the watch to begin',
  )
  setImmediate(() => discovery.lose())
  await expect(first).rejects.toMatchObject({
    details: 'No endpoint to dial. hello has 0 registered endpoints',
  })
})

test('the first empty list waits one second for its explanation', async () => {
  install({ discovery: Object.assign(discovery, { explainEmpty: () => new Promise<string>(() => {}) }) })
  discovery.list()
  using caller = new Caller(TARGET)
  await expect(caller.call()).rejects.toMatchObject({
    code: 14,
    details: 'No endpoint to dial. hello has 0 registered endpoints',
  })
})

test('calls fail at once with the reason if all selected endpoints are drained', async () => {
  discovery.list({ addr: a.addr, weight: 0 }, { addr: b.addr, version: '2.0.0', weight: 2 })
  using caller = new Caller('etcd://1.0.0/hello')
  await expect(caller.call()).rejects.toMatchObject({
    details: expect.stringContaining(
      'Every endpoint is drained (weight 0). hello has 2 registered endpoints',
    ),
  })
  discovery.put({ addr: a.addr, weight: 1 })
  await caller.untilRotation(a.addr)
})

test('closing a channel ends its watch', async () => {
  discovery.list({ addr: a.addr })
  const caller = new Caller(TARGET)
  await caller.untilRotation(a.addr)
  caller.close()
  await until(
    () => discovery.watchers === 0,
    () => 'the watch to end',
  )
})

test('channels to one service share a watch, which ends with the last of them', async () => {
  discovery.list({ addr: a.addr }, { addr: b.addr, version: '2.0.0' })
  const first = new Caller(TARGET)
  await first.untilRotation(a.addr, b.addr)
  discovery.put({ addr: a.addr, weight: 3 })
  discovery.put({ addr: a.addr, weight: 5 })
  using late = new Caller(TARGET)
  using canary = new Caller('etcd://2.0.0/hello')
  await Promise.all([late.untilRotation(a.addr, b.addr), canary.untilRotation(b.addr)])
  for (const caller of [first, late]) {
    await until(
      () => caller.weights.get(a.addr) === 5,
      () => `weight 5, is ${caller.weights.get(a.addr)}`,
    )
  }
  discovery.put({ addr: b.addr, version: '2.0.0', weight: 7 })
  for (const caller of [first, late, canary]) {
    await until(
      () => caller.weights.get(b.addr) === 7,
      () => `weight 7, is ${caller.weights.get(b.addr)}`,
    )
  }
  expect(discovery).toMatchObject({ watches: 1, watchers: 1 })
  first.close()
  late.close()
  discovery.put({ addr: b.addr, version: '2.0.0', weight: 9 })
  await until(
    () => canary.weights.get(b.addr) === 9,
    () => `weight 9, is ${canary.weights.get(b.addr)}`,
  )
  canary.close()
  await until(
    () => discovery.watchers === 0,
    () => 'the watch to end',
  )
})

test('a channel that is opened during an outage fails with the error of the registry, like the first one', async () => {
  discovery.lose()
  using first = new Caller(TARGET)
  await expect(first.call()).rejects.toMatchObject({ details: 'etcd is not reachable' })
  using late = new Caller(TARGET)
  await expect(late.call()).rejects.toMatchObject({ details: 'etcd is not reachable' })
  discovery.list({ addr: a.addr })
  await Promise.all([first.untilRotation(a.addr), late.untilRotation(a.addr)])
  expect(discovery.watches).toBe(1)
})

test('many channels on one connection add no listeners that make Node warn of a leak', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  discovery.list({ addr: a.addr })
  const callers = Array.from({ length: 30 }, () => new Caller(TARGET))
  await Promise.all(callers.map((caller) => caller.untilRotation(a.addr)))
  await new Promise((resolve) => setImmediate(resolve))
  for (const caller of callers) caller.close()
  process.off('warning', note)
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
})
