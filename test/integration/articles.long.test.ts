import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Metadata } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type DevRegistry, startDevRegistry } from '../../src/dev/etcd/server.js'
import { install, setPin } from '../../src/grpc/index.js'
import { register } from '../../src/index.js'
import type { Registry } from '../../src/registry/registry.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import type { Etcd } from '../support/etcd.js'
import { registration, storedText, storedWeight, wipe } from '../support/etcd-state.js'
import { openRegistry } from '../support/registry.js'
import { ResidentTool } from '../support/resident-tool.js'
import { etcdAt, sharedEtcd } from '../support/shared-etcd.js'

let dev: DevRegistry | null = null

async function startDev(): Promise<Etcd> {
  dev = await startDevRegistry({ host: '127.0.0.1', port: 0 })
  return etcdAt(dev.endpoint)
}

describe.each([
  ['etcd', sharedEtcd],
  ['disco dev', startDev],
] as const)('on %s', (_, start) => {
  let etcd: Etcd
  let tool: ResidentTool
  let registry: Registry

  beforeAll(async () => {
    etcd = await start()
    tool = new ResidentTool(etcd.endpoint)
    registry = await openRegistry([etcd.endpoint])
    install({ discovery: registry })
  })
  afterEach(() => wipe(etcd))
  afterAll(async () => {
    registry.close()
    await tool[Symbol.asyncDispose]()
    await dev?.close()
    dev = null
  })

  /** Stores an endpoint of the service `game` as etcd’s naming package does. */
  async function put(addr: string, value: object): Promise<void> {
    await etcd.ctl('put', `game/${addr}`, JSON.stringify(value))
  }

  async function remove(addr: string): Promise<void> {
    await etcd.ctl('del', `game/${addr}`)
  }

  test('a call is pinned to a server by scalar Metadata, falls back while the server is gone, and returns to it later', async () => {
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
    // The same server after a restart with another port.
    await using again = await Backend.start()
    await put(again.addr, { Op: 0, Addr: again.addr, Metadata: 2 })
    await caller.untilRotation(one.addr, again.addr)
    expect([await pinned(), await pinned()]).toEqual([again.addr, again.addr])
  })

  test('an endpoint with Op "Add" is dialled, and has a hint that Go clients ignore it', async () => {
    await using one = await Backend.start()
    await put(one.addr, { Op: 'Add', Addr: one.addr, Metadata: {} })
    using caller = new Caller('etcd:///game?layout=etcd')
    expect(await caller.call()).toBe(one.addr)
    const listed = await tool.run('ls', 'game', '--json')
    expect(JSON.parse(listed.stdout).endpoints).toMatchObject([
      { addr: one.addr, problem: null, hints: [{ code: 'op-text' }] },
    ])
  })

  test('every listing names an address without a port with the reason, and unregister accepts the address', async () => {
    const key = 'foo/bar/my-service/e1'
    await etcd.ctl('put', key, '{"Op":0,"Addr":"1.2.3.4","Metadata":null}')
    const uri = 'etcd:///foo/bar/my-service?layout=etcd'
    for (const args of [
      ['ls', 'foo/bar/my-service'],
      ['ls', 'foo/bar/my-service', '1.2.3.4', '-o', 'ndjson'],
      ['ls', '-l', 'addr=1.2.3.4'],
      ['ls', '--host', '1.2.3.4'],
      ['health', uri, '1.2.3.4'],
      ['resolve', uri],
      ['resolve', uri, '-o', 'ndjson'],
      ['resolve', uri, '-o', 'name'],
      ['pick', uri],
      ['pick', uri, '-o', 'json'],
      ['call', uri, '--connect-deadline', '1s'],
      ['wait', uri, '--for', 'healthy>=1', '--timeout', '0'],
    ]) {
      const ran = await tool.run(...args)
      expect(ran.stdout + ran.stderr, args.join(' ')).toMatch(/1\.2\.3\.4.*has no port/)
    }
    for (const wrong of ['1.2.3.5', 'http://1.2.3.4:1']) {
      expect((await tool.run('unregister', 'foo/bar/my-service', wrong)).code).toBe(2)
    }
    const removed = await tool.run('unregister', 'foo/bar/my-service', '1.2.3.4')
    expect(removed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('✓ foo/bar/my-service 1.2.3.4'),
    })
    expect(await storedText(etcd, key)).toBe('')
  })

  test('weight and drain accept an address without a port if its layout has weights', async () => {
    const put = (addr: string) => etcd.ctl('put', ...registration('hello', addr, { weight: 2 }))
    await put('1.2.3.4')
    await put('1.2.3.4:1')
    expect(await tool.run('weight', 'hello', '1.2.3.4', '5')).toMatchObject({ code: 0 })
    expect(await storedWeight(etcd, '/hello/1.2.3.4')).toBe(5)
    expect(await storedWeight(etcd, '/hello/1.2.3.4:1')).toBe(2)
    expect(await tool.run('drain', 'hello', '1.2.3.4', '--grace', '0')).toMatchObject({ code: 0 })
    expect(await storedText(etcd, '/hello/1.2.3.4')).toBe('')
    const again = await tool.run('drain', 'hello', '1.2.3.4', '--grace', '0')
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('"1.2.3.4" has no port') })
  })

  test('the handler uses a path that the program chooses, and answers in text if the client requests it', async () => {
    await using registration = await register({
      service: 'hello',
      addr: '127.0.0.1:1',
      version: '1.0.0',
      endpoints: [etcd.endpoint],
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
})
