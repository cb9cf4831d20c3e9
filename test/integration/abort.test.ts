import { getEventListeners, once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Endpoint, EndpointRecord } from '../../src/domain/endpoint.js'
import { Registry, register } from '../../src/index.js'
import type { Etcd } from '../support/etcd.js'
import { grantLease, storedText } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let mute: Server
/** An etcd that accepts connections and never answers. */
let muted: Registry
let muteOptions: { endpoints: string[]; commandTimeoutMs: number }

beforeAll(async () => {
  etcd = await sharedEtcd()
  mute = createServer().listen(0, '127.0.0.1')
  await once(mute, 'listening')
  mute.on('connection', (socket) => socket.unref().on('error', () => undefined))
  const endpoints = [`127.0.0.1:${(mute.address() as AddressInfo).port}`]
  // Longer than a test may take: only the signal can end a request.
  muteOptions = { endpoints, commandTimeoutMs: 600_000 }
  muted = await Registry.open({ ...muteOptions, cache: false })
})
afterAll(() => {
  muted.close()
  mute.close()
})

const record: EndpointRecord = {
  service: 'hello',
  version: '',
  addr: '127.0.0.1:1',
  weight: 1,
  metadata: {},
}
const selection = { service: 'hello', addr: record.addr }
const endpoint = { ...record, key: '/hello/127.0.0.1:1', modRevision: 5, createRevision: 1 } as Endpoint

describe('with an aborted signal while etcd does not answer,', () => {
  test.each<[string, (options: { signal: AbortSignal }) => Promise<unknown>]>([
    ['list', (options) => muted.list('hello', options)],
    ['listExisting', (options) => muted.listExisting('hello', options)],
    ['countLayouts', (options) => muted.countLayouts(options)],
    ['ttls', (options) => muted.ttls(['00000000000000ff'], options)],
    ['leaseLives', (options) => muted.leaseLives('00000000000000ff', options)],
    ['lastWeight', (options) => muted.lastWeight(endpoint, options)],
    ['setWeight', (options) => muted.setWeight(selection, 5, options)],
    ['unregister', (options) => muted.unregister(selection, options)],
    ['explainEmpty', (options) => muted.explainEmpty({ service: 'hello' }, options)],
    ['Registry.register', (options) => muted.register({ registered: record, ttlSeconds: 5 }, options)],
    ['register', (options) => register({ ...muteOptions, ...record, ...options })],
  ])('%s rejects with the reason of the signal', async (_, operation) => {
    const stop = new AbortController()
    const reason = new Error('the caller has no more time')
    setTimeout(() => stop.abort(reason), 20)
    await expect(operation({ signal: stop.signal })).rejects.toBe(reason)
    // The signal is already aborted before this call.
    await expect(operation({ signal: stop.signal })).rejects.toBe(reason)
  })

  test.each(['watch', 'follow'] as const)('%s ends', async (name) => {
    const stop = new AbortController()
    const updates =
      name === 'watch' ? muted.watch({ service: name }, stop.signal) : muted.follow(name, stop.signal)
    setTimeout(() => stop.abort(), 20)
    expect((await updates.next()).done).toBe(true)
  })
})

test('many operations with one signal add no more listeners than Node allows without a warning', async () => {
  const stop = new AbortController()
  const { signal } = stop
  const watches = Array.from({ length: 20 }, (_, n) => muted.watch({ service: `hello${n}` }, signal))
  const ends = [
    ...watches.map((watch) => watch.next()),
    ...Array.from({ length: 20 }, () => muted.list('hello', { signal }).catch(() => null)),
    ...Array.from({ length: 20 }, () => register({ ...muteOptions, ...record, signal }).catch(() => null)),
  ]
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(10)
  stop.abort()
  await Promise.all(ends)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('register with an aborted signal does not connect to etcd', async () => {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  let connections = 0
  server.on('connection', (socket) => {
    connections++
    socket.destroy()
  })
  const endpoints = [`127.0.0.1:${(server.address() as AddressInfo).port}`]
  const reason = new Error('the caller has no more time')
  const attempt = register({ ...record, endpoints, signal: AbortSignal.abort(reason) })
  await expect(attempt).rejects.toBe(reason)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(connections).toBe(0)
})

test('register stops waiting for the lease of another registrar on AbortSignal.timeout', async () => {
  const key = '/hello/127.0.0.1:1'
  const lease = await grantLease(etcd, 600)
  await etcd.ctl('put', '--lease', lease, key, 'theirs')
  const signal = AbortSignal.timeout(300)
  const options = { ...record, endpoints: [etcd.endpoint], signal }
  await expect(register(options)).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(await storedText(etcd, key)).toBe('theirs')
})

test('an aborted signal ends the waiting for drain and close, which still complete', async () => {
  const registration = await register({ ...record, service: 'left', endpoints: [etcd.endpoint] })
  const stop = new AbortController()
  const drained = registration.drain({ graceMs: 300, signal: stop.signal })
  stop.abort()
  await expect(drained).rejects.toMatchObject({ name: 'AbortError' })
  await expect(registration.close({ signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
  await registration.ended
  expect(await storedText(etcd, '/left/127.0.0.1:1')).toBe('')
})

describe('await using', () => {
  test('closes a registration, a registry, and a watch whose next update is awaited', async () => {
    {
      await using registry = await openRegistry([etcd.endpoint])
      await using held = await registry.register({
        registered: { ...record, service: 'used' },
        ttlSeconds: 5,
      })
      expect(held.held).toHaveLength(1)
      await using watch = registry.watch({ service: 'used' })
      await using follow = registry.follow('used')
      expect((await watch.next()).value).toMatchObject({ type: 'reset' })
      expect((await follow.next()).value).toMatchObject({ type: 'reset' })
      void watch.next()
      void follow.next()
    }
    expect(await storedText(etcd, '/used/127.0.0.1:1')).toBe('')
  })
})
