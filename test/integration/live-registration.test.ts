import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type RegisterOptions, register } from '../../src/index.js'
import { until } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { leaseIds, storedText, wipe } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { weightsOf } from '../support/recorded.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd

beforeAll(async () => {
  etcd = await sharedEtcd()
})
afterEach(() => wipe(etcd))

/** A service that only this test uses, so that its history in etcd has no keys of other tests. */
function options(service: string, more: Partial<RegisterOptions> = {}): RegisterOptions {
  return {
    service,
    addr: '127.0.0.1:1001',
    endpoints: [etcd.endpoint],
    ttlSeconds: 60,
    commandTimeoutMs: 20_000,
    ...more,
  }
}

test('register resolves once the endpoint is registered; setWeight takes a number or an expression; drain removes the key', async () => {
  const registration = await register(options('lib', { weight: 2, metadata: { zone: 'a' } }))
  const events: string[] = []
  registration
    .on('changed', ({ registered }) => events.push(`weight ${registered.weight}`))
    .on('draining', ({ drainMs }) => events.push(`draining ${drainMs}`))
    .on('deregistered', () => events.push('deregistered'))
  const key = '/lib/127.0.0.1:1001'
  expect(await storedText(etcd, key)).toBe(
    '{"name":"lib","addr":"127.0.0.1:1001","version":"","weight":2,"metadata":{"zone":"a"}}',
  )
  expect(registration.held.map((held) => held.key)).toEqual([key])
  await registration.setWeight(6)
  expect((await registration.setWeight('50%')).changes).toMatchObject([{ from: 6, to: 3 }])
  await registration.setWeight({ kind: 'add', delta: 2 })
  await expect(registration.setWeight(0)).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(registration.setWeight('much' as '1')).rejects.toMatchObject({ code: 'USAGE' })
  await until(
    () => events.includes('weight 5'),
    () => `weight 5, got ${events.join()}`,
  )
  await registration.drain({ graceMs: 50 })
  await registration.ended
  expect(await weightsOf(etcd, key)).toEqual([2, 6, 3, 5, 0, null])
  expect(await leaseIds(etcd)).toEqual([])
  // Changes in quick succession are emitted as one event with the last value.
  expect(events.indexOf('draining 50')).toBeGreaterThan(events.indexOf('weight 5'))
  expect(events.at(-1)).toBe('deregistered')
  expect(registration.held).toEqual([])
})

test('the drain time starts when weight 0 is set, even if etcd is slow', async () => {
  await using link = await FaultProxy.start(etcd.endpoint)
  const registration = await register(options('slow', { endpoints: [link.endpoint] }))
  link.delay(200)
  await registration.drain({ graceMs: 1 })
  expect(await weightsOf(etcd, '/slow/127.0.0.1:1001')).toEqual([1, 0, null])
})

test('several addresses share a lease; close removes all keys and is idempotent, and `await using` closes', async () => {
  {
    await using registration = await register(options('many', { addr: ['127.0.0.1:1', '127.0.0.1:2'] }))
    expect(registration.held).toHaveLength(2)
    expect(await leaseIds(etcd)).toHaveLength(1)
    await registration.close()
    await registration.close()
  }
  expect(await etcd.ctl('get', '/many/', '--prefix')).toBe('')
  expect(await leaseIds(etcd)).toEqual([])
})

test('`ended` resolves after a deliberate deletion, and rejects with CONFLICT after a takeover', async () => {
  const deleted = await register(options('meant'))
  await etcd.ctl('del', '/meant/127.0.0.1:1001')
  await deleted.ended
  const first = await register(options('taken'))
  const second = await register(options('taken', { takeover: true, weight: 9 }))
  await expect(first.ended).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await storedText(etcd, '/taken/127.0.0.1:1001')).toContain('"weight":9')
  await second.close()
})

test('an invalid registration is refused, and leaves nothing in etcd', async () => {
  const cases: [Partial<RegisterOptions>, string][] = [
    [{ addr: '1.2.3.4' }, 'USAGE'],
    [{ weight: -1 }, 'USAGE'],
    [{ layout: 'nonsense' }, 'USAGE'],
    [{ endpoints: ['127.0.0.1:1'], commandTimeoutMs: 500 }, 'ETCD_UNREACHABLE'],
  ]
  for (const [wrong, code] of cases) {
    await expect(register(options('wrong', wrong)), JSON.stringify(wrong)).rejects.toMatchObject({ code })
  }
  expect(await etcd.ctl('get', '/', '--prefix', '--keys-only')).toBe('')
  expect(await leaseIds(etcd)).toEqual([])
})

test('the HTTP handler works in a server of the program', async () => {
  await using registration = await register(options('http'))
  const server = createServer(registration.handler()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const changed = await fetch(`http://127.0.0.1:${port}/weight?weight=4`, { method: 'PUT' })
  expect(await changed.json()).toMatchObject({ changes: [{ from: 1, to: 4 }] })
  expect(await storedText(etcd, '/http/127.0.0.1:1001')).toContain('"weight":4')
  server.close()
})
