import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Registry } from '../../src/registry/registry.js'
import { fetchNode, NODE_VERSIONS } from '../nodes/node-binary.js'
import { environmentOf, Process, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { leaseIds } from '../support/etcd-state.js'
import { pack } from '../support/pack.js'
import { freePorts } from '../support/ports.js'
import { Traffic } from '../support/traffic.js'

/** npm may have to download every package. */
const INSTALL_DEADLINE_MS = 240_000

/** Folders of examples with a package of their own, one for each framework. */
const PROGRAMS = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const NODES = [
  ['this Node', () => process.execPath] as const,
  ...NODE_VERSIONS.map((version) => [`Node ${version}`, () => join(fetchNode(version), 'node')] as const),
]

let etcd: RealEtcd
let parent: string
let tarball: string
const started: Process[] = []

beforeAll(async () => {
  etcd = await RealEtcd.start()
  parent = mkdtempSync(join(tmpdir(), 'disco-programs-'))
  tarball = pack(parent)
  const isOwn = (path: string) => !/node_modules|dist/.test(path)
  cpSync('examples', join(parent, 'examples'), { recursive: true, filter: isOwn })
})

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.end('SIGKILL')))
})

afterAll(async () => {
  await etcd.stop()
  rmSync(parent, { recursive: true, force: true, maxRetries: 5 })
})

describe.each(PROGRAMS)('the programs for %s', (name) => {
  const folder = () => join(parent, 'examples', name)

  async function npm(...args: string[]): Promise<void> {
    // A user does not have the settings of the npm that runs the tests, such as engine-strict.
    const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('npm_'))
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`
    const env = { ...Object.fromEntries(inherited), PATH: path }
    await promisify(execFile)('npm', args, { cwd: folder(), env })
  }

  /** Runs a script of package.json on this Node, without npm and a shell as parent processes. */
  function run(node: string, script: string, ...args: string[]): Process {
    const { scripts } = JSON.parse(readFileSync(join(folder(), 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const [, ...words] = (scripts[script] ?? '').split(' ')
    const env = environmentOf(etcd.endpoint)
    const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const]
    const running = new Process(spawn(node, [...words, ...args], { cwd: folder(), env, stdio }))
    started.push(running)
    return running
  }

  async function serve(node: string, weight: number): Promise<{ process: Process; addr: string }> {
    const process = run(node, 'server', String(weight), String((await freePorts(1))[0]))
    await process.printed('serving hello at')
    const [, addr = ''] = /at (\S+),/.exec(process.stdout) ?? []
    return { process, addr }
  }

  beforeAll(async () => {
    await npm('pkg', 'set', `dependencies.disco-registry=file:${tarball}`)
    await npm('install', '--no-audit', '--no-fund', '--ignore-scripts')
    await npm('run', 'build')
  }, INSTALL_DEADLINE_MS)

  if (existsSync(join('examples', name, 'gen'))) {
    test('contain the code that npm run generate writes', async () => {
      const generated = join(folder(), 'gen')
      const before = filesIn(generated)
      rmSync(generated, { recursive: true, maxRetries: 5 })
      await npm('run', 'generate')
      expect(filesIn(generated)).toEqual(before)
    })
  }

  test.each(NODES)('balance by weight, and drain without a failed call, on %s', async (_name, nodeBinary) => {
    const node = nodeBinary()
    const [light, heavy] = await Promise.all([serve(node, 1), serve(node, 3)])
    const first = await run(node, 'client', '2000').exited()
    expect(first).toMatchObject({ stderr: '', code: 0 })
    const counts = countsIn(first.stdout)
    expect(Object.keys(counts).sort()).toEqual([light.addr, heavy.addr].sort())
    expect(sum(counts)).toBe(2_000)
    // The expected share is 1,500; an equal split would be 1,000. During the first calls only one endpoint may be
    // connected.
    expect(counts[heavy.addr]).toBeGreaterThan(1_300)
    if (name === 'opentelemetry') expect(picksIn(first.stdout)).toEqual(counts)

    await using registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
    await using traffic = new Traffic(registry, 'hello')
    await traffic.flows(100)
    expect(await light.process.end('SIGTERM')).toMatchObject({
      stdout: expect.stringMatching(/every call was answered\n$/),
      stderr: '',
      code: 0,
    })
    await traffic.flows(100)
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    const second = await run(node, 'client', '40').exited()
    expect(second).toMatchObject({ stderr: '', code: 0 })
    expect(countsIn(second.stdout)).toEqual({ [heavy.addr]: 40 })

    expect(await heavy.process.end('SIGTERM')).toMatchObject({ stderr: '', code: 0 })
    expect(await leaseIds(etcd)).toEqual([])
  })

  if (name === 'connect') {
    test('release the endpoint of an abandoned stream when its signal aborts or its deadline passes', async () => {
      cpSync('test/snippets/left-streams.js', join(folder(), 'dist', 'left-streams.js'))
      const { server, sessions } = await serveOpenStreams()
      await using registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
      const addr = `127.0.0.1:${(server.address() as AddressInfo).port}`
      await using registration = await registry.register({
        registered: { service: 'streams', version: '', addr, weight: 1, metadata: {} },
        ttlSeconds: 60,
      })
      const env = environmentOf(etcd.endpoint)
      const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const]
      const running = new Process(
        spawn(process.execPath, ['dist/left-streams.js'], { cwd: folder(), env, stdio }),
      )
      started.push(running)
      await running.printed('left both streams; given up: [canceled]')
      expect(sessions.size).toBe(1)
      await registration.close()
      await until(
        () => sessions.size === 0,
        () => 'the connection is still open',
      )
      expect(await running.end('SIGTERM')).toMatchObject({ stderr: '', code: 0 })
      server.close()
    })
  }
})

/** An HTTP/2 server that answers each call with one empty message, and keeps the stream open. */
async function serveOpenStreams(): Promise<{ server: Http2Server; sessions: Set<ServerHttp2Session> }> {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
    stream.write(Buffer.alloc(5))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, sessions }
}

/** The content of each file in a folder, by file name. */
function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
}

/** Calls per endpoint under the default policy, as all example clients print them. */
function countsIn(stdout: string): Record<string, number> {
  const [, counts = '{}'] = /^weighted_round_robin (\{.*\})$/m.exec(stdout) ?? []
  return JSON.parse(counts) as Record<string, number>
}

/** Picks per endpoint from the metric that the OpenTelemetry example prints. */
function picksIn(stdout: string): Record<string, number> {
  const lines = [...stdout.matchAll(/^disco\.picks (\{.*\}) (\d+)$/gm)]
  return Object.fromEntries(
    lines.map(({ 1: attributes = '{}', 2: count }) => {
      const { 'server.address': addr = '' } = JSON.parse(attributes) as Record<string, string>
      return [addr, Number(count)]
    }),
  )
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
