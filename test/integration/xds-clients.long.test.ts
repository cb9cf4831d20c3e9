import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { XdsDoc } from '../../src/cli/xds/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { pythonWithGrpc } from '../support/c-core.js'
import type { Process } from '../support/disco.js'
import { type Placed, putAll, registration } from '../support/etcd-state.js'
import { FourKinds } from '../support/four-kinds.js'
import { freePorts } from '../support/ports.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { expectShares, follows, XdsClient, type XdsLibrary } from '../support/xds-clients.js'

const { etcd, disco } = await toolOnEtcd()

const stops: (() => unknown)[] = []
afterEach(() => {
  for (const stop of stops.splice(0).reverse()) stop()
})

describe.each<XdsLibrary>(['C-core', 'grpc-js'])(
  'a %s client of disco xds',
  (library) => {
    it('spreads its calls by weight, and follows a weight, a drain and a new endpoint without a failed call', async () => {
      const backends = await started(6)
      const [first = '', second = '', , , last = '', fresh = ''] = backends
      const weights = [1, 1, 1, 1, 10]
      await put(weights.map((weight, at) => ({ addr: backends[at] ?? '', weight })))
      const { listen } = await controlPlane()
      const client = clientOf(library, listen)
      await expectShares(client, Object.fromEntries(weights.map((weight, at) => [backends[at], weight / 14])))

      await disco.run('weight', 'hello', last, '1')
      await follows(client, ({ answers }) => (answers[last] ?? 0) < 150)
      await expectShares(client, { [first]: 0.2, [last]: 0.2 })

      await disco.run('weight', 'hello', first, '0')
      await follows(client, ({ answers }) => answers[first] === undefined)
      await expectShares(client, { [first]: 0, [second]: 0.25, [last]: 0.25 })

      await put([{ addr: fresh, weight: 4 }])
      await follows(client, ({ answers }) => (answers[fresh] ?? 0) > 100)
      await expectShares(client, { [fresh]: 0.5 })
    })

    it('gives endpoints equal shares if no weight is set', async () => {
      const backends = await started(2)
      await put(backends.map((addr) => ({ addr, weight: 0 })))
      const { listen } = await controlPlane()
      await expectShares(clientOf(library, listen), Object.fromEntries(backends.map((addr) => [addr, 0.5])))
    })

    it('fails calls to an unknown service at once, and reaches the service once it is registered', async () => {
      const [addr = ''] = await started(1)
      const { listen, process } = await controlPlane()
      const client = clientOf(library, listen, 'nobody')
      // Its process has started.
      await client.call(0)
      const startedMs = performance.now()
      const { failures } = await client.call(1)
      expect(Object.keys(failures)[0]).toContain('UNAVAILABLE')
      expect(performance.now() - startedMs).toBeLessThan(9_000)
      await process.printed('asks for "nobody", which is not served')
      await etcd.ctl('put', ...registration('nobody', addr))
      await follows(client, ({ answers }) => answers[addr] !== undefined, 'failing before')
    })

    it('calls only the canary, and the other endpoints when the canary is drained', async () => {
      const [old = '', young = ''] = await started(2)
      await put([
        { addr: old, version: '1.0.0', weight: 99 },
        { addr: young, version: '2.0.0', weight: 1 },
      ])
      const { listen } = await controlPlane('hello', '--canary', 'version=2.0.0')
      const client = clientOf(library, listen)
      expect(await client.call(200)).toEqual({ answers: { [young]: 200 }, failures: {} })
      await disco.run('weight', 'hello', young, '0')
      await follows(client, ({ answers }) => answers[young] === undefined)
      expect(await client.call(200)).toEqual({ answers: { [old]: 200 }, failures: {} })
    })

    it('loses no call while the control plane is killed and restarted, and then follows changes again', async () => {
      const [a = '', b = ''] = await started(2)
      await put([{ addr: a }, { addr: b }])
      const [port = 0] = await freePorts(1)
      const listen = ['--listen', `:${port}`]
      const first = await controlPlane(...listen)
      const client = clientOf(library, first.listen)
      await client.call(100)
      const callsAtDeath = client.call(500, 5)
      await delay(500)
      await first.process.end('SIGKILL')
      expect((await callsAtDeath).failures).toEqual({})
      await expectShares(client, { [a]: 0.5, [b]: 0.5 }, 0.06)
      await disco.run('weight', 'hello', a, '0')
      const callsAtReturn = client.call(500, 5)
      await controlPlane(...listen)
      expect((await callsAtReturn).failures).toEqual({})
      await follows(client, (counts) => counts.answers[a] === undefined)
    })

    it('follows 1,000 endpoints of 50 services', async () => {
      const [addr = ''] = await started(1)
      const dead = Array.from({ length: 999 }, (_, at) => ({
        addr: `127.0.${at >> 8}.${at & 255}:9`,
        weight: 1,
      }))
      for (let at = 0; at < dead.length; at += 100) await putAll(etcd, 'hello', dead.slice(at, at + 100))
      await put([{ addr, weight: 1_000 }])
      for (let at = 0; at < 49; at++) await etcd.ctl('put', ...registration(`other-${at}`, addr))
      const { listen } = await controlPlane()
      const client = clientOf(library, listen)
      const counts = await client.call(200)
      expect(counts).toEqual({ answers: { [addr]: 200 }, failures: {} })
      const other = clientOf(library, listen, 'other-7')
      expect(await other.call(10)).toEqual({ answers: { [addr]: 10 }, failures: {} })
    })
  },
  300_000,
)

it('the Python client of docs/xds.md runs unchanged with the bootstrap file that disco prints', async () => {
  const greeter = await startGreeter({ port: 0 })
  stops.push(() => greeter.stop())
  await put([{ addr: greeter.addr }])
  const [port = 0] = await freePorts(1)
  await controlPlane('--listen', `:${port}`)
  const { stdout } = await disco.run('xds', '--bootstrap', '--listen', `:${port}`)
  const text = await readFile(new URL('../../docs/xds.md', import.meta.url), 'utf8')
  const [, program = ''] = /\n```python\n(.*?)```\n/s.exec(text) ?? []
  const [, shown = ''] = /\n```json\n(.*?)```\n/s.exec(text) ?? []
  const printed = JSON.parse(stdout)
  expect(JSON.parse(shown)).toEqual({
    xds_servers: [{ ...printed.xds_servers[0], server_uri: '127.0.0.1:18000' }],
    node: { id: 'shop-7', locality: {} },
  })
  await using file = await temporaryFile('bootstrap.json', stdout)
  const { python, env } = pythonWithGrpc()
  await promisify(execFile)(python, ['-c', program], { env: { ...env, GRPC_XDS_BOOTSTRAP: file.path } })
  expect(greeter.calls()).toBe(1)
}, 60_000)

interface ControlPlane {
  readonly process: Process
  readonly listen: string
}

async function controlPlane(...args: string[]): Promise<ControlPlane> {
  const listen = args.includes('--listen') ? [] : ['--listen', ':0']
  const process = disco.start('xds', ...args, ...listen, '--json')
  await process.printed(/\{.*\}\n/)
  return { process, listen: (JSON.parse(process.stdout) as XdsDoc).listen }
}

function clientOf(library: XdsLibrary, listen: string, service?: string): XdsClient {
  const client = XdsClient.start(library, listen, service)
  stops.push(() => client[Symbol.dispose]())
  return client
}

/** Starts `count` backends. Returns their addresses. */
async function started(count: number): Promise<string[]> {
  const backends = await Promise.all(Array.from({ length: count }, () => FourKinds.start()))
  for (const backend of backends) stops.push(() => backend.stop())
  return backends.map(({ addr }) => addr)
}

function put(endpoints: readonly Placed[]): Promise<void> {
  return putAll(etcd, 'hello', endpoints)
}
