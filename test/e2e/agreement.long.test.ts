import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import type { ResolveDoc } from '../../src/cli/resolve/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { DiscoError } from '../../src/domain/errors.js'
import { LAYOUTS, layoutNamed } from '../../src/domain/layouts/index.js'
import { Registry } from '../../src/registry/registry.js'
import { RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'

/** Layouts that `disco register` writes and `disco call` reads, each with the name of a service. */
const SERVICES: Readonly<Record<string, string>> = {
  seed: 'of-seed',
  etcd: 'team/of-etcd',
  panshiqu: 'of-panshiqu',
  pandaychen: 'of-panda',
  'go-zero': 'of.zero',
  kratos: 'of-kratos',
  kitex: 'of-kitex',
  hertz: 'of-hertz',
  'go-micro': 'of/micro',
  'go-micro-v4': 'of/v4',
  goframe: 'of-goframe',
  rpcx: 'OfRpcx',
  skydns: 'sky.cluster.local',
  jupiter: 'of_jupiter',
  ego: 'of-ego',
  'go-kit': 'of-kit',
}

/**
 * Read-only layouts, each with a service and the value that its framework stores. Traefik and APISIX have no endpoints.
 */
const READ_ONLY: Readonly<Record<string, (addr: string, weight: number) => [key: string, value: string]>> = {
  'dubbo-go-interface': (addr, weight) => {
    const url = `tri://${addr}/of.Dubbo?side=provider&interface=of.Dubbo&weight=${weight}`
    return [`/dubbo/of.Dubbo/providers/${encodeURIComponent(url)}`, '']
  },
  'dubbo-go-app': (addr, weight) => {
    const [host, port] = addr.split(':')
    const instance = { ID: addr, ServiceName: 'of-dubbo', Host: host, Port: Number(port), Weight: weight }
    const value = { ...instance, Enable: true, Healthy: true, Metadata: {}, ServiceMetadata: null }
    return [`/services/of-dubbo/${addr}`, `${JSON.stringify(value)}\n`]
  },
}

const ALL_SERVICES = { ...SERVICES, 'dubbo-go-interface': 'of.Dubbo', 'dubbo-go-app': 'of-dubbo' }

interface Listed {
  readonly target: string
  readonly isCached: boolean
  readonly endpoints: readonly (readonly [key: string, addr: string, weight: number | null])[]
}

const PROGRAM = fileURLToPath(new URL('../support/resolving-program.js', import.meta.url))

let etcd: RealEtcd
let tool: ResidentTool
let greeters: Greeter[]
let cacheFolder: string
const opened: Registry[] = []

beforeAll(async () => {
  etcd = await RealEtcd.start()
  greeters = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
  cacheFolder = mkdtempSync(join(tmpdir(), 'disco-agreement-'))
  tool = new ResidentTool(etcd.endpoint, { XDG_CACHE_HOME: cacheFolder })
  for (const [layout, service] of Object.entries(SERVICES)) {
    const registry = await Registry.open({ endpoints: [etcd.endpoint], layout, cache: false })
    opened.push(registry)
    for (const [index, { addr }] of greeters.entries()) {
      const weight = layoutNamed(layout).weightless === null ? 1 + 2 * index : layoutNamed(layout).firstWeight
      const version = layout === 'pandaychen' ? 'v1' : ''
      const registered = { service, addr, version, weight, metadata: {}, ...idOf(layout, index) }
      await registry.register({ registered: [registered], ttlSeconds: 600, takeover: false })
    }
  }
  for (const [index, { addr }] of greeters.entries()) {
    for (const stored of Object.values(READ_ONLY)) await etcd.ctl('put', ...stored(addr, 1 + 2 * index))
  }
})
afterAll(async () => {
  await tool[Symbol.asyncDispose]()
  for (const greeter of greeters) greeter.stop()
  for (const registry of opened) registry.close()
  await etcd.stop()
  rmSync(cacheFolder, { recursive: true, maxRetries: 5 })
})

/** An id for layouts in which the writer chooses it. */
function idOf(layout: string, index: number): { id?: string } {
  const isNamed = layout === 'panshiqu' || layout === 'pandaychen'
  return isNamed || layoutNamed(layout).id === 'made' ? { id: `4000${index}` } : {}
}

/** The endpoints that a program of the library resolves with only the environment as configuration. */
async function program(targets: readonly string[], folder = cacheFolder): Promise<Listed[]> {
  const { PATH = '' } = process.env
  const env = { PATH, DISCO_ENDPOINTS: etcd.endpoint, XDG_CACHE_HOME: folder }
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...targets], { env })
  return JSON.parse(stdout) as Listed[]
}

async function json<Doc>(...args: string[]): Promise<Doc> {
  const ran = await tool.run(...args, '--json')
  expect(ran.code, ran.stdout).toBe(0)
  return JSON.parse(ran.stdout) as Doc
}

function uri(layout: string, service: string): string {
  const target = `etcd:///${encodeURIComponent(service)}`
  return layout === 'seed' ? target : `${target}?layout=${layout}`
}

const TARGETS = Object.entries(ALL_SERVICES).map(([layout, service]) => uri(layout, service))

test('every layout with registrations is tested', () => {
  const registries = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration).map(({ name }) => name)
  expect(Object.keys(ALL_SERVICES).sort()).toEqual(registries.sort())
})

test('resolve, call and a program list the same endpoints, in the same order, with the same weights', async () => {
  const listed = await program(TARGETS, join(cacheFolder, 'programs'))
  for (const { target, endpoints } of listed) {
    expect(endpoints, target).toHaveLength(2)
    const resolved = await json<ResolveDoc>('resolve', target)
    expect(
      resolved.endpoints.map(({ key, addresses, weight }) => [key, addresses[0], weight]),
      target,
    ).toEqual(endpoints)
    expect(resolved.notes, target).toEqual([])
    const called = await json<CallDoc>('call', target, 'SayHello', '--n', '8')
    const byKey = new Map(called.endpoints.map((one) => [one.key, one]))
    const total = endpoints.reduce((sum, [, , weight]) => sum + (weight ?? 0), 0)
    for (const [key, addr, weight] of endpoints) {
      const expected = Math.round((8000 * (weight ?? 0)) / total) / 1000
      expect(byKey.get(key), target).toMatchObject({ addr, expected })
    }
    // pick_first depends on the order.
    const first = await json<CallDoc>('call', target, 'SayHello', '--n', '2', '--policy', 'pick_first')
    expect(first.endpoints.find(({ picks }) => picks === 2)?.key, target).toBe(endpoints[0]?.[0])
  }
})

test('disco names the layout that it read if a program would read another one, and suggests a target that both read alike', async () => {
  for (const [layout, service] of Object.entries(ALL_SERVICES)) {
    const { notes, endpoints } = await json<ResolveDoc>('resolve', service)
    if (layout === 'seed') {
      expect(notes).toEqual([])
      continue
    }
    const [note] = notes
    expect(note, layout).toMatchObject({ code: 'layout', target: uri(layout, service) })
    const again = await json<ResolveDoc>('resolve', note?.target ?? '')
    expect(again.endpoints, layout).toEqual(endpoints)
  }
  const called = await tool.run('call', 'team/of-etcd', 'SayHello')
  expect(called.stderr).toContain('! Read in layout etcd. A program reads seed unless')
  expect(called.stderr).toContain('etcd:///team%2Fof-etcd?layout=etcd')
})

test('a NOT_FOUND error of the library names layout, root and prefix, and the layout in which the service exists', async () => {
  await using registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
  const selection = { service: 'team/of-etcd', addr: greeters[0]?.addr ?? '' }
  for (const fail of [() => registry.listExisting('team/of-etcd'), () => registry.setWeight(selection, 5)]) {
    const error = await fail().then(
      () => null,
      (thrown: unknown) => thrown as DiscoError,
    )
    expect(error).toBeInstanceOf(DiscoError)
    expect(error?.code).toBe('NOT_FOUND')
    expect(error?.message).toMatch(
      /^No service "team\/of-etcd": searched in layout seed, root none, prefix \/team\/of-etcd\/ \(rev \d+\)$/,
    )
    expect(error?.suggestions[0]).toMatch(
      /^It is registered in etcd, at team\/of-etcd\/\S+: add \?layout=etcd to the target, or --layout etcd$/,
    )
  }
})

test('registrations that cannot be dialled get a hint in ls, resolve and call', async () => {
  const put = (addr: string, version = '', weight = 1) =>
    etcd.ctl('put', ...registration('odd', addr, { version, weight }))
  await put('0.0.0.0:1001')
  // On another machine, and drained: it is never dialled.
  await put('10.0.0.9:1001', '', 0)
  await put('localhost:1002')
  await put(greeters[0]?.addr ?? '')
  await put(greeters[0]?.addr ?? '', '2.0.0')
  const { endpoints } = await json<{ endpoints: { addr: string; hints: { code: string }[] }[] }>('ls', 'odd')
  const codes = endpoints.map(({ addr, hints }) => [addr, hints.map(({ code }) => code)])
  expect(codes).toEqual(
    expect.arrayContaining([
      ['0.0.0.0:1001', ['unspecified-address']],
      ['10.0.0.9:1001', []],
      ['localhost:1002', ['loopback-address']],
      [greeters[0]?.addr, ['loopback-address', 'shared-address']],
    ]),
  )
  const { notes } = await json<ResolveDoc>('resolve', 'odd')
  expect(notes.map(({ code, addr }) => [code, addr])).toEqual(
    expect.arrayContaining([
      ['unspecified-address', '0.0.0.0:1001'],
      ['loopback-address', 'localhost:1002'],
      ['shared-address', greeters[0]?.addr],
    ]),
  )
  const called = await tool.run('call', 'odd', 'SayHello', '-l', 'version=2.0.0')
  expect({ code: called.code, stderr: called.stderr }).toEqual({
    code: 0,
    stderr: expect.not.stringContaining('0.0.0.0') as string,
  })
  const whole = await tool.run('call', 'odd', 'SayHello')
  expect(whole.stderr).toContain('! 0.0.0.0:1001: 0.0.0.0 means all interfaces of a server')
})

test('a service whose endpoints and etcd are all on one machine gets no loopback hint', async () => {
  const { endpoints } = await json<{ endpoints: { hints: unknown[] }[] }>('ls', 'of-seed')
  expect(endpoints.flatMap(({ hints }) => hints)).toEqual([])
})

test('a program uses a list that the tool cached while etcd is away', async () => {
  // Once by its URI, and once by its bare name, which the tool looks up in every layout.
  await json('resolve', uri('kratos', 'of-kratos'))
  await json('resolve', 'of-kitex')
  const targets = [uri('kratos', 'of-kratos'), uri('kitex', 'of-kitex')]
  // The program has a cache of its own here. A cached list that it finds later was therefore written by the tool.
  const before = await program(targets, join(cacheFolder, 'programs'))
  await etcd.stop()
  const after = await program(targets)
  expect(after).toEqual(before.map((listed) => ({ ...listed, isCached: true })))
  for (const { target, endpoints } of after) {
    const resolved = await json<ResolveDoc>('resolve', target)
    expect(resolved.source).toBe('cache')
    expect(resolved.endpoints.map(({ key, addresses, weight }) => [key, addresses[0], weight])).toEqual(
      endpoints,
    )
  }
})
