import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Metadata } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { install, setPin } from '../../src/grpc/index.js'
import { register } from '../../src/index.js'
import type { Registry } from '../../src/registry/registry.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { Disco } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { storedText, storedWeight, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let registry: Registry

beforeAll(async () => {
  etcd = await sharedEtcd()
  registry = await openRegistry([etcd.endpoint])
  install({ discovery: registry })
})
afterEach(() => wipe(etcd))
afterAll(() => registry.close())

/** As etcd's naming stores an endpoint of the service `game`. */
async function put(addr: string, value: object): Promise<void> {
  await etcd.ctl('put', `game/${addr}`, JSON.stringify(value))
}

async function remove(addr: string): Promise<void> {
  await etcd.ctl('del', `game/${addr}`)
}

test('a call pins a server by its scalar Metadata, falls back while it is away, and enters it again', async () => {
  await using one = await Backend.start()
  await using two = await Backend.start()
  await put(one.addr, { Op: 0, Addr: one.addr, Metadata: '1' })
  await put(two.addr, { Op: 0, Addr: two.addr, Metadata: 2 })
  using caller = new Caller('etcd:///game?layout=etcd', {
    policy: 'pinned',
    parameters: { fallback: { round_robin: {} } },
  })
  await caller.untilRotation(one.addr, two.addr)
  const pinned = () => caller.call(setPin(new Metadata(), '2'))
  expect([await pinned(), await pinned(), await pinned()]).toEqual([two.addr, two.addr, two.addr])
  expect(await caller.count(4)).toEqual({ [one.addr]: 2, [two.addr]: 2 })
  await remove(two.addr)
  await caller.untilRotation(one.addr)
  expect(await pinned()).toBe(one.addr)
  // The same server after a restart, on another port.
  await using again = await Backend.start()
  await put(again.addr, { Op: 0, Addr: again.addr, Metadata: 2 })
  await caller.untilRotation(one.addr, again.addr)
  expect([await pinned(), await pinned()]).toEqual([again.addr, again.addr])
})

test('a value with the Op "Add" is dialled, and a hint says that Go clients skip it', async () => {
  await using one = await Backend.start()
  await put(one.addr, { Op: 'Add', Addr: one.addr, Metadata: {} })
  using caller = new Caller('etcd:///game?layout=etcd')
  expect(await caller.call()).toBe(one.addr)
  const disco = new Disco(etcd.endpoint)
  const listed = await disco.run('ls', 'game', '--json')
  expect(JSON.parse(listed.stdout).endpoints).toMatchObject([
    { addr: one.addr, problem: null, hints: [{ code: 'op-text' }] },
  ])
})

test('an address without a port is named with the reason, and can be removed by its key', async () => {
  const key = 'foo/bar/my-service/e1'
  await etcd.ctl('put', key, '{"Op":0,"Addr":"1.2.3.4","Metadata":null}')
  const disco = new Disco(etcd.endpoint)
  const resolved = await disco.run('resolve', 'etcd:///foo/bar/my-service?layout=etcd')
  expect(resolved.stdout + resolved.stderr).toMatch(/1\.2\.3\.4.*no port/)
  const called = await disco.run('call', 'foo/bar/my-service', '--connect-deadline', '1s')
  expect(called.code).not.toBe(0)
  expect(called.stdout + called.stderr).toMatch(/1\.2\.3\.4.*no port/)
  expect(await disco.run('unregister', 'foo/bar/my-service', key, '--yes')).toMatchObject({ code: 0 })
  expect(await storedText(etcd, key)).toBe('')
})

test('the handler has a path of the program’s choice, and answers in text where the client asks for it', async () => {
  await using registration = await register({
    ...{ service: 'hello', addr: '127.0.0.1:1', version: '1.0.0', endpoints: [etcd.endpoint] },
  })
  const server = createServer(registration.handler({ path: '/update' })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (path: string, accept: string) => {
    const response = await fetch(`${url}${path}`, { headers: { accept } })
    return [response.status, response.headers.get('content-type'), (await response.text()).trim()]
  }
  try {
    const text = 'text/plain; charset=utf-8'
    expect(await ask('/update?weight=7', 'text/plain')).toEqual([200, text, 'update server weight success'])
    expect(await storedWeight(etcd, '/hello/1.0.0/127.0.0.1:1')).toBe(7)
    const [status, type, reason] = await ask('/update?weight=x', 'text/plain')
    expect([status, type]).toEqual([400, text])
    expect(reason).not.toContain('{')
    expect(await ask('/update/readyz', 'text/plain')).toEqual([200, text, 'healthy'])
    expect((await ask('/update/weight?weight=8', '*/*')).slice(0, 2)).toEqual([200, 'application/json'])
    expect((await ask('/update/weight?weight=9', 'application/json, text/plain, */*'))[1]).toBe(
      'application/json',
    )
    for (const elsewhere of ['/', '/weight', '/updates', '/updateweight', '/other/readyz'])
      expect((await ask(elsewhere, '*/*'))[0], elsewhere).toBe(404)
  } finally {
    server.close()
  }
})
