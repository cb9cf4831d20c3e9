import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ChannelSettings, channelOptions, install, setPin } from '../../src/grpc/index.js'
import { Backend } from '../support/backend.js'
import { DevRegistryProcess } from '../support/dev-registry-process.js'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { openRegistry } from '../support/registry.js'
import { fetchGo } from './toolchain.js'

/** Debian’s packages have about 300 MB, and the program takes a minute to compile. */
const BUILD_DEADLINE_MS = 600_000

let folder: string
let peer: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-go-'))
  peer = join(folder, 'peer')
  const { go, env } = fetchGo()
  const source = fileURLToPath(new URL('./peer/main.go', import.meta.url))
  execFileSync(go, ['build', '-o', peer, source], { env, stdio: 'inherit' })
}, BUILD_DEADLINE_MS)
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

/** A Go server that registers itself. */
class GoServer implements AsyncDisposable {
  private constructor(
    readonly addr: string,
    private readonly child: ReturnType<typeof spawn>,
  ) {}

  static async start(...args: string[]): Promise<GoServer> {
    const child = spawn(peer, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [addr] = (await once(createInterface(child.stdout), 'line')) as [string]
    return new GoServer(addr, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

async function goOutput(...args: string[]): Promise<string> {
  return (await promisify(execFile)(peer, args)).stdout.trim()
}

/** The addresses of the servers that answer the calls of a Node client. */
async function peersOf(target: string, settings: ChannelSettings, calls: number, pin?: string) {
  const client = new Client(target, credentials.createInsecure(), channelOptions(settings))
  const bytes = (value: Buffer) => value
  const peers: string[] = []
  for (let call = 0; call < calls; call++) {
    const metadata = new Metadata()
    if (pin !== undefined) setPin(metadata, pin)
    await new Promise<void>((resolve, reject) => {
      const made = client.makeUnaryRequest(
        ...(['/grpc.health.v1.Health/Check', bytes, bytes, Buffer.alloc(0), metadata] as const),
        { deadline: Date.now() + 20_000 },
        (error) => {
          if (error) return reject(error)
          peers.push(made.getPeer())
          resolve()
        },
      )
    })
  }
  client.close()
  return peers
}

describe.each([
  ['etcd', () => RealEtcd.start()],
  ['disco dev', () => DevRegistryProcess.start()],
] as const)('on %s', (_, start) => {
  let server: Awaited<ReturnType<typeof start>>
  let disco: Disco

  beforeAll(async () => {
    server = await start()
    disco = new Disco(server.endpoint)
  })
  afterEach(() => disco.stopAll())
  afterAll(() => server[Symbol.asyncDispose]())

  /** Layout and address of each endpoint that `disco ls` lists. */
  async function listed(service: string): Promise<string[]> {
    const { stdout } = await disco.run('ls', service, '--json')
    const { endpoints = [] } = JSON.parse(stdout) as { endpoints?: { addr: string; layout: string }[] }
    return endpoints.map(({ addr, layout }) => `${layout} ${addr}`).sort()
  }

  test('disco and a Node program see Go servers that register with etcd’s naming package and KeepAliveOnce, and can pin them', async () => {
    await using one = await GoServer.start(server.endpoint, 'serve-naming', 'go/naming', '1')
    {
      await using two = await GoServer.start(server.endpoint, 'serve-naming', 'go/naming', '2')
      const both = [one.addr, two.addr].sort()
      // Longer than the TTL, so that the lease exists only if it is renewed.
      await new Promise((resolve) => setTimeout(resolve, 5_000))
      expect(await listed('go/naming')).toEqual(both.map((addr) => `etcd ${addr}`))
      await using registry = await openRegistry([server.endpoint])
      install({ discovery: registry })
      const target = 'etcd:///go/naming?layout=etcd'
      expect([...new Set(await peersOf(target, { policy: 'round_robin' }, 10))].sort()).toEqual(both)
      expect(await peersOf(target, { policy: 'pinned' }, 3, '2')).toEqual([two.addr, two.addr, two.addr])
      expect(await goOutput(server.endpoint, 'dial-naming', 'go/naming')).toBe(both.join(' '))
    }
    await until(
      async () => (await listed('go/naming')).join() === `etcd ${one.addr}`,
      () => 'the lease of the killed server to lapse',
    )
  })

  test('Go lists and calls a server that disco registers in the layout of etcd’s naming package', async () => {
    await using backend = await Backend.start()
    const registration = disco.start(
      'register',
      'node-naming',
      backend.addr,
      '--layout',
      'etcd',
      '--ttl',
      '5',
    )
    await registration.printed('"type":"added"')
    const found = JSON.parse(await goOutput(server.endpoint, 'list-naming', 'node-naming'))
    expect(Object.values(found)).toEqual([{ Addr: backend.addr, Metadata: null }])
    expect(await goOutput(server.endpoint, 'dial-naming', 'node-naming')).toBe(backend.addr)
    expect((await registration.end('SIGINT')).code).toBe(0)
    expect(JSON.parse(await goOutput(server.endpoint, 'list-naming', 'node-naming'))).toEqual({})
  })

  test('disco lists Go servers in the seed layout and sets their weights, and a Node program dials one version', async () => {
    await using one = await GoServer.start(server.endpoint, 'serve-seed', 'goseed', '1.0.0', '1')
    await using two = await GoServer.start(server.endpoint, 'serve-seed', 'goseed', '2.0.0', '3')
    const both = [one.addr, two.addr].sort()
    expect(await listed('goseed')).toEqual(both.map((addr) => `seed ${addr}`))
    expect((await disco.run('weight', 'goseed', two.addr, '5')).code).toBe(0)
    await using registry = await openRegistry([server.endpoint])
    install({ discovery: registry })
    const { endpoints } = await registry.list('goseed')
    expect(endpoints.find(({ addr }) => addr === two.addr)?.weight).toBe(5)
    expect(endpoints.every(({ lease }) => lease !== null)).toBe(true)
    expect([...new Set(await peersOf('etcd://2.0.0/goseed', {}, 4))]).toEqual([two.addr])
    const counts = await peersOf('etcd:///goseed', {}, 60)
    expect(counts.filter((addr) => addr === two.addr).length).toBeGreaterThan(45)
  })

  test('a Go resolver like that of the source documents calls a server that disco registers in the seed layout', async () => {
    await using backend = await Backend.start()
    const registration = disco.start('register', 'nodeseed', backend.addr, '--version', '1.0.0', '--ttl', '5')
    await registration.printed('"type":"added"')
    expect(await goOutput(server.endpoint, 'dial-seed', 'nodeseed', '1.0.0')).toBe(backend.addr)
    expect((await registration.end('SIGINT')).code).toBe(0)
  })
})
