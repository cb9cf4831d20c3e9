import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { XdsDoc } from '../../src/cli/xds/document.js'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { putAll, registration, wipe } from '../support/etcd-state.js'
import { FourKinds } from '../support/four-kinds.js'
import { freePorts } from '../support/ports.js'
import { expectShares, follows, XdsClient, type XdsLibrary } from '../support/xds-clients.js'

const [dc1, dc2] = await Promise.all([RealEtcd.start(), RealEtcd.start()])
const folder = mkdtempSync(join(tmpdir(), 'disco-centres-'))
const disco = new Disco('', { XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') })
beforeAll(() => {
  mkdirSync(join(folder, 'disco'))
  const contexts = Object.entries({ dc1: dc1.endpoint, dc2: dc2.endpoint, away: '127.0.0.1:1' })
  const lines = contexts.map(([name, at]) => `  ${name}: { endpoints: "${at}" }\n`)
  writeFileSync(join(folder, 'disco/config.yaml'), `contexts:\n${lines.join('')}`, { mode: 0o600 })
})
afterAll(async () => {
  rmSync(folder, { recursive: true, maxRetries: 5 })
  await Promise.all([dc1.stop(), dc2.stop()])
})

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) stop()
  await disco.stopAll()
  await Promise.all([wipe(dc1), wipe(dc2)])
})

describe.each<XdsLibrary>(['C-core', 'grpc-js'])(
  'a client by %s, of disco xds -C dc1,dc2',
  (library) => {
    it('calls the first registry, spills over when its endpoints go, and comes back', async () => {
      const [a = '', b = '', c = '', d = ''] = await started(4)
      await putAll(dc1, 'hello', [{ addr: a }, { addr: b }])
      await putAll(dc2, 'hello', [{ addr: c }, { addr: d, weight: 3 }])
      const client = clientOf(library, await controlPlane('-C', 'dc1,dc2'))
      await expectShares(client, { [a]: 0.5, [b]: 0.5 }, 0.06)

      // The endpoints are deregistered, so no call may fail.
      await remove(a, b)
      await follows(client, ({ answers }) => answers[a] === undefined && answers[b] === undefined)
      await expectShares(client, { [a]: 0, [b]: 0, [c]: 0.25, [d]: 0.75 }, 0.06)

      await putAll(dc1, 'hello', [{ addr: a }])
      await follows(client, ({ answers }) => answers[a] === 400)
    })

    it('spills over when the endpoints of the first registry are killed, and then fails no call', async () => {
      const [port] = await freePorts(1)
      const [a, c] = [await FourKinds.start({ listen: `127.0.0.1:${port}` }), await FourKinds.start()]
      stops.push(() => c.stop())
      await putAll(dc1, 'hello', [{ addr: a.addr }])
      await putAll(dc2, 'hello', [{ addr: c.addr }])
      const client = clientOf(library, await controlPlane('-C', 'dc1,dc2'))
      expect(await client.call(200)).toEqual({ answers: { [a.addr]: 200 }, failures: {} })
      a.stop()
      await follows(client, ({ answers }) => answers[c.addr] !== undefined, 'failing before')
      expect(await client.call(1_000)).toEqual({ answers: { [c.addr]: 1_000 }, failures: {} })
      const again = await FourKinds.start({ listen: a.addr })
      stops.push(() => again.stop())
      await follows(client, ({ answers }) => answers[a.addr] === 400)
    })

    it('keeps a ratio', async () => {
      const [a = '', b = '', c = ''] = await started(3)
      await putAll(dc1, 'hello', [{ addr: a }, { addr: b, weight: 3 }])
      await putAll(dc2, 'hello', [{ addr: c, weight: 100 }])
      const client = clientOf(library, await controlPlane('-C', 'dc1=80,dc2=20', 'hello'))
      await expectShares(client, { [a]: 0.2, [b]: 0.6, [c]: 0.2 })
    })

    it.each([
      ['of all services', []],
      ['of the named service', ['hello']],
    ])('keeps the list of a killed registry, and follows the other registry: %s', async (_, names) => {
      const [a = '', b = '', c = ''] = await started(3)
      await putAll(dc1, 'hello', [{ addr: a }])
      await putAll(dc2, 'hello', [{ addr: b }])
      const listen = await controlPlane('-C', 'dc2=1,dc1=1', ...names)
      const client = clientOf(library, listen)
      await expectShares(client, { [a]: 0.5, [b]: 0.5 }, 0.06)
      await dc1.kill()
      try {
        await expectShares(client, { [a]: 0.5, [b]: 0.5 }, 0.06)
        await putAll(dc2, 'hello', [{ addr: c }])
        await follows(client, ({ answers }) => answers[c] !== undefined)
        await expectShares(client, { [a]: 0.5, [b]: 0.25, [c]: 0.25 }, 0.06)
      } finally {
        await dc1.restart()
      }
    })

    it('is served by one registry if the other is unavailable at the start', async () => {
      const [c = ''] = await started(1)
      await putAll(dc2, 'hello', [{ addr: c }])
      for (const from of ['away,dc2', 'dc2,away', 'away=1,dc2=1']) {
        const client = clientOf(library, await controlPlane('-C', from))
        expect(await client.call(100)).toEqual({ answers: { [c]: 100 }, failures: {} })
      }
    })
  },
  300_000,
)

async function controlPlane(...args: string[]): Promise<string> {
  const process = disco.start('xds', ...args, '--listen', ':0', '--json')
  await process.printed(/\{.*\}\n/)
  return (JSON.parse(process.stdout) as XdsDoc).listen
}

function clientOf(library: XdsLibrary, listen: string): XdsClient {
  const client = XdsClient.start(library, listen)
  stops.push(() => client[Symbol.dispose]())
  return client
}

/** Starts `count` backends. Returns their addresses. */
async function started(count: number): Promise<string[]> {
  const backends = await Promise.all(Array.from({ length: count }, () => FourKinds.start()))
  for (const backend of backends) stops.push(() => backend.stop())
  return backends.map(({ addr }) => addr)
}

async function remove(...addrs: readonly string[]): Promise<void> {
  for (const addr of addrs) await dc1.ctl('del', ...registration('hello', addr).slice(0, 1))
}
