import { once } from 'node:events'
import { status } from '@grpc/grpc-js'
import { afterEach, beforeAll, expect, expectTypeOf, test, vi } from 'vitest'
import { channelOptions, install } from '../../src/grpc/index.js'
import { register, type WeightForm } from '../../src/index.js'
import { findPolicy, type NameOf, type PolicyKind, type PolicyName } from '../../src/policies/index.js'
import { backendPair } from '../support/backend-pair.js'
import { Caller } from '../support/caller.js'
import type { Etcd } from '../support/etcd.js'
import { leaseIds, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
const [a, b] = await backendPair()

beforeAll(async () => {
  etcd = await sharedEtcd()
})
afterEach(() => wipe(etcd))

test('events.once awaits an event of a registration, and can be aborted; listeners can be removed', async () => {
  await using registration = await register({
    service: 'forms',
    addr: '127.0.0.1:1',
    endpoints: [etcd.endpoint],
  })
  const seen: number[] = []
  const note = ({ registered }: { registered: { weight: number } }) => seen.push(registered.weight)
  registration.on('changed', note)
  const changed = once(registration, 'changed')
  await registration.setWeight(7)
  const [now] = await changed
  expect(now.registered.weight).toBe(7)
  registration.off('changed', note)
  const again = once(registration, 'changed')
  await registration.setWeight('+2')
  await again
  expect(seen).toEqual([7])
  expect(registration.listenerCount('changed')).toBe(0)
  const stop = new AbortController()
  const never = once(registration, 'leaseLost', { signal: stop.signal })
  stop.abort()
  await expect(never).rejects.toMatchObject({ name: 'AbortError' })
})

test('a weight is a number, or text in the form of the command line', async () => {
  await using registry = await openRegistry([etcd.endpoint])
  await using registration = await register({
    service: 'forms',
    addr: '127.0.0.1:1',
    endpoints: [etcd.endpoint],
    weight: 4,
  })
  const selection = { service: 'forms', addr: '127.0.0.1:1' }
  const forms: [WeightForm, number][] = [[6, 6]]
  forms.push(['+2', 8], ['-1', 7], ['50%', 4], ['9', 9], [{ kind: 'add', delta: 1 }, 10])
  for (const [form, weight] of forms) {
    expect((await registry.setWeight(selection, form)).changes).toMatchObject([{ to: weight }])
    expect((await registration.setWeight(form, { force: true })).changes).toHaveLength(1)
    await registry.setWeight(selection, weight)
  }
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 31]) {
    await expect(registry.setWeight(selection, bad)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(registration.setWeight(bad)).rejects.toMatchObject({ code: 'USAGE' })
  }
  // @ts-expect-error: text that is not a weight does not compile
  await expect(registry.setWeight(selection, 'much')).rejects.toMatchObject({ code: 'USAGE' })
})

test('a lease id has the form of etcdctl and of the JSON output', async () => {
  await using registry = await openRegistry([etcd.endpoint])
  const options = { service: 'forms', addr: '127.0.0.1:1', endpoints: [etcd.endpoint] }
  await using registration = await register(options)
  const { endpoints } = await registry.list('forms')
  expect(registration.held).toHaveLength(1)
  expect([endpoints[0]?.lease]).toEqual(await leaseIds(etcd))
  const lease = endpoints[0]?.lease ?? ''
  expect(await registry.leaseLives(lease)).toBe(true)
  expect([...(await registry.ttls([lease])).keys()]).toEqual([lease])
})

test('the type PolicyName is the union of the names, and editors complete it', () => {
  expectTypeOf<'weighted_round_robin' | 'wrr' | 'least_request' | 'ring' | 'pinned'>().toExtend<PolicyName>()
  expectTypeOf<string>().not.toExtend<PolicyName>()
  expectTypeOf<string>().toExtend<NameOf<PolicyName>>()
})

test('a program can install a policy of its own', async () => {
  using caller = await (async () => {
    const own: PolicyKind = { ...findPolicy('round_robin'), name: 'own', shortName: 'own' }
    const configure = (config: unknown) => ({ ...findPolicy('rr').configure(config), name: 'own' })
    install({ policies: [{ ...own, configure }] })
    expect(channelOptions({ policy: configure({}) })['grpc.service_config']).toContain('disco_own')
    return new Caller(`ipv4:${a.addr},${b.addr}`, { policy: configure({}) })
  })()
  await caller.untilRotation(a.addr, b.addr)
  expect(await caller.count(4)).toEqual({ [a.addr]: 2, [b.addr]: 2 })
})

test('closing an installation returns etcd: targets to the previous one, or fails them with the reason', async () => {
  // Other test files in this process leave their discoveries installed, so this test loads a fresh copy of the library.
  vi.resetModules()
  const { install } = await import('../../src/grpc/install.js')
  const [first, second] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
  const outer = install({ discovery: first })
  {
    await using inner = install({ discovery: second })
    using caller = new Caller('etcd:///hello')
    second.list({ addr: b.addr })
    expect(await caller.call()).toBe(b.addr)
    inner.close()
  }
  using caller = new Caller('etcd:///hello')
  first.list({ addr: a.addr })
  expect(await caller.call()).toBe(a.addr)
  outer.close()
  outer.close()
  using late = new Caller('etcd:///hello')
  await expect(late.call()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining('No discovery is installed'),
  })
})
