import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EndpointRecord } from '../../src/domain/endpoint.js'
import type { RegistrationRequest } from '../../src/registry/registration/acquire.js'
import type { RegistrationEvents } from '../../src/registry/registration/events.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { grantLease, leaseIds, storedText } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd } = await toolOnEtcd()
let registry: Registry

beforeEach(async () => {
  registry = await openRegistry([etcd.endpoint])
})
afterEach(() => registry.close())

const PORTS = [1001, 1002, 1003]

function endpoint(port: number): EndpointRecord {
  return { service: 'hello', version: '1.0.0', addr: `127.0.0.1:${port}`, weight: 1, metadata: {} }
}

function keyOf(port: number): string {
  return `/hello/1.0.0/127.0.0.1:${port}`
}

/** Registers three endpoints under one lease, and records their events as short strings. */
async function hold(options: Partial<RegistrationRequest> = {}): Promise<Held> {
  const reported: string[] = []
  const note = (what: string) => (now: { key: string }) => {
    reported.push(`${what} ${now.key.slice(-4)}`)
  }
  const events = new EventEmitter<RegistrationEvents>()
    .on('registered', (held) => note(held.again ? 'again' : 'registered')(held))
    .on('changed', note('changed'))
    .on('reattached', note('reattached'))
    .on('deleted', note('deleted'))
    .on('dropped', (dropped) =>
      note(dropped.why === 'deregistered' ? dropped.why : dropped.why.code)(dropped),
    )
    .on('leaseLost', () => reported.push('lease lost'))
  const [first, ...rest] = PORTS.map(endpoint)
  if (!first) throw new Error('there are ports')
  const request = { registered: [first, ...rest] as const, ttlSeconds: 5, ...options }
  return { registration: await registry.register(request, { events }), events: reported }
}

interface Held {
  readonly registration: Registration
  readonly events: readonly string[]
}

async function storedWeights(): Promise<unknown[]> {
  const { endpoints } = await registry.list('hello')
  return endpoints.map(({ addr, weight }) => [Number(addr.split(':')[1]), weight])
}

async function untilReported(events: readonly string[], ...wanted: string[]): Promise<void> {
  await until(
    () => wanted.every((what) => events.includes(what)),
    () => `${wanted} in ${events}`,
  )
}

describe('a registration of several endpoints', () => {
  test('uses one lease; close deletes all keys and the lease', async () => {
    const { registration, events } = await hold()
    expect(events).toEqual(['registered 1001', 'registered 1002', 'registered 1003'])
    expect(registration.keys).toEqual(PORTS.map(keyOf))
    const [lease = '', ...others] = await leaseIds(etcd)
    expect(others).toEqual([])
    const attached = await etcd.ctl('lease', 'timetolive', lease, '--keys')
    for (const port of PORTS) expect(attached).toContain(keyOf(port))
    await registration.close()
    expect(await registration.ended).toBe('closed')
    expect(await storedWeights()).toEqual([])
    expect(await leaseIds(etcd)).toEqual([])
  })

  test('is created again under one new lease after a loss, each endpoint with its last weight', async () => {
    const { registration, events } = await hold()
    await etcd.ctl('put', keyOf(1002), JSON.stringify(stored(1002, 7)), '--ignore-lease')
    await untilReported(events, 'changed 1002')
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await untilReported(events, 'again 1001', 'again 1002', 'again 1003')
    expect(events.filter((what) => what === 'lease lost')).toHaveLength(1)
    expect(await storedWeights()).toEqual([
      [1001, 1],
      [1002, 7],
      [1003, 1],
    ])
    const leases = await leaseIds(etcd)
    expect(leases).toHaveLength(1)
    expect(leases).not.toContain(lease)
    expect(registration.held.map(({ registered }) => registered.weight)).toEqual([1, 7, 1])
    await registration.close()
  })

  test('drops a deliberately deleted key and keeps the others; the last deletion ends it', async () => {
    const { registration, events } = await hold()
    await etcd.ctl('del', keyOf(1001))
    await untilReported(events, 'deregistered 1001')
    expect(registration.held.map(({ key }) => key)).toEqual([keyOf(1002), keyOf(1003)])
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await untilReported(events, 'again 1002', 'again 1003')
    expect(await storedText(etcd, keyOf(1001))).toBe('')
    await etcd.ctl('del', keyOf(1002))
    await etcd.ctl('del', keyOf(1003))
    expect(await registration.ended).toBe('deregistered')
    expect(await leaseIds(etcd)).toEqual([])
  })

  test('with onDelete reregister restores a deleted key under the same lease', async () => {
    const { registration, events } = await hold({ onDelete: 'reregister' })
    const before = await leaseIds(etcd)
    await etcd.ctl('del', keyOf(1002))
    await untilReported(events, 'deleted 1002', 'again 1002')
    expect(await leaseIds(etcd)).toEqual(before)
    expect(await storedWeights()).toHaveLength(3)
    await registration.close()
  })

  test('attaches its lease to a key that was overwritten without a lease, with the new value', async () => {
    const { registration, events } = await hold()
    await etcd.ctl('put', keyOf(1003), JSON.stringify(stored(1003, 4)))
    await untilReported(events, 'reattached 1003')
    const { endpoints } = await registry.list('hello')
    expect(new Set(endpoints.map(({ lease }) => lease)).size).toBe(1)
    expect(endpoints.map(({ weight }) => weight)).toEqual([1, 1, 4])
    await registration.close()
  })

  test('drops a key that was taken over and leaves it unchanged; the conflict is emitted at once and rejects `ended`', async () => {
    const { registration, events } = await hold()
    const other = await grantLease(etcd, 500)
    await etcd.ctl('put', keyOf(1001), JSON.stringify(stored(1001, 9)), `--lease=${other}`)
    await untilReported(events, 'CONFLICT 1001')
    expect(registration.held).toHaveLength(2)
    await registration.close()
    await expect(registration.ended).rejects.toMatchObject({ code: 'CONFLICT', exit: 6 })
    expect(await storedWeights()).toEqual([[1001, 9]])
    expect(await leaseIds(etcd)).toEqual([other])
  })

  test('fails with a conflict if another registrar holds one of its keys, and leaves none of the others in etcd', async () => {
    const other = await grantLease(etcd, 500)
    const renewals: Promise<unknown>[] = []
    const renewed = setInterval(() => renewals.push(etcd.ctl('lease', 'keep-alive', '--once', other)), 300)
    try {
      await etcd.ctl('put', keyOf(1002), JSON.stringify(stored(1002, 9)), `--lease=${other}`)
      await expect(hold()).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await storedWeights()).toEqual([[1002, 9]])
      expect(await leaseIds(etcd)).toEqual([other])
    } finally {
      clearInterval(renewed)
      // The cleanup after the test revokes the lease.
      await Promise.all(renewals)
    }
  })
})

function stored(port: number, weight: number): object {
  return { name: 'hello', addr: `127.0.0.1:${port}`, version: '1.0.0', weight }
}
