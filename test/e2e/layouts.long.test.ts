import { Client, credentials } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import type { EndpointsDoc } from '../../src/cli/endpoints/document.js'
import type { LayoutsDoc } from '../../src/cli/layouts/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { type Endpoint, isReadable } from '../../src/domain/endpoint.js'
import { LAYOUTS } from '../../src/domain/layouts/index.js'
import { install } from '../../src/grpc/install.js'
import { Registry } from '../../src/registry/registry.js'
import { Disco, type Ran } from '../support/disco.js'
import { registration, storedText } from '../support/etcd-state.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { ALL_EXAMPLES } from '../support/vectors.js'

const { etcd, disco, tool } = await toolOnEtcd()

function ok(ran: Ran): string {
  expect(ran.code, ran.stderr).toBe(0)
  return ran.stdout
}

async function listed(...args: string[]): Promise<EndpointsDoc> {
  return JSON.parse(ok(await tool.run('ls', ...args, '--json'))) as EndpointsDoc
}

function openRegistry(place: { layout?: string; root?: string }): Promise<Registry> {
  return Registry.open({
    endpoints: [etcd.endpoint],
    endpointsSource: 'the test',
    cache: false,
    ...place,
    commandTimeoutMs: 5_000,
    dialTimeoutMs: 1_000,
  })
}

describe('an etcd with the examples of all layouts', () => {
  /** Some keys have two examples: the first pass contains the first of them, the second pass the second. */
  const passes = [0, 1].map((pass) =>
    ALL_EXAMPLES.filter(({ key }, at) => {
      const earlier = ALL_EXAMPLES.slice(0, at).filter((other) => other.key === key).length
      return earlier === pass
    }),
  )
  /** Keys that are not endpoints: directories and configuration. */
  const NO_ENDPOINTS = /^(\/dubbo(\/[^/]+\/providers)?|\/rpcx_test(\/Arith)?|traefik\/.*|\/apisix\/.*)$/

  test('is read by the layout auto, which names the layout of each key, in two passes', async () => {
    expect(passes.flat()).toHaveLength(ALL_EXAMPLES.length)
    const registry = await openRegistry({ layout: 'auto' })
    const expected = new Map<string, string>()
    let endpoints: readonly Endpoint[] = []
    for (const pass of passes) {
      for (const { id, key, value } of pass) {
        await etcd.ctl('put', '--', key, value)
        if (!NO_ENDPOINTS.test(key)) expected.set(key, id)
      }
      endpoints = (await registry.list()).endpoints
      expect(new Map(endpoints.map(({ key, layout }) => [key, layout]))).toEqual(expected)
      expect(endpoints.filter((endpoint) => !isReadable(endpoint))).toEqual([])
    }
    registry.close()

    const ran = await tool.run('layouts', '--json')
    const doc = JSON.parse(ok(ran)) as LayoutsDoc
    const layoutByKey = new Map(passes.flat().map(({ key, id }) => [key, id]))
    const counts = LAYOUTS.map(({ name }) => {
      const own = endpoints.filter(({ layout }) => layout === name)
      const keys = [...layoutByKey.values()].filter((id) => id === name).length
      return [name, own.length, keys]
    })
    expect(doc.layouts.map(({ name, endpoints, keys }) => [name, endpoints, keys])).toEqual(counts)
    expect(counts).toContainEqual(['rpcx', 1, 3])
    const services = new Map(doc.layouts.map(({ name, services }) => [name, services]))
    expect([services.get('seed'), services.get('kitex'), services.get('traefik')]).toEqual([3, 2, 0])
    expect(doc.layouts.map(({ name }) => name)).toEqual(LAYOUTS.map(({ name }) => name))
    expect(doc.otherKeys).toBe(0)
    const { length } = LAYOUTS
    expect(ran.stderr).toMatch(new RegExp(`^${length} of ${length} layouts present \\(rev \\d+\\)\\n$`))
    expectShape('layouts', doc, JSON.parse(ok(await unreachable('--json'))))
    const lines = ok(await tool.run('layouts', '-o', 'ndjson'))
      .trimEnd()
      .split('\n')
    expectShape('layout', ...lines.map((line) => JSON.parse(line) as unknown), { rev: null, ...NOT_COUNTED })
  })

  test('lists a service in all its layouts, and names the layout in each row, under any prefix', async () => {
    for (const { key, value } of passes[0] ?? []) await etcd.ctl('put', '--', key, value)
    const { endpoints } = await listed('hello')
    expect(endpoints.map(({ layout }) => layout)).toEqual(['ego', 'ego', 'seed', 'seed'])
    const table = ok(await tool.run('ls', 'order'))
    expect(table).toMatch(/REV +LAYOUT +NOTE\n.* 10\.0\.0\.9:9000 .* goframe +/)
    expect((await listed('game')).endpoints).toHaveLength(2)
    const wrong = await tool.run('ls', 'order', '--layout', 'goframe')
    expect(wrong.code).toBe(4)
    expect(wrong.stderr).toContain(
      'It is registered in goframe, at /service/prod/pay/order/v1.2.0/10.0.0.9:9000',
    )
    expect(wrong.stderr).not.toMatch(/empty|no registrations/)
    expect((await listed('order', '--layout', 'goframe=/service/prod/pay')).endpoints).toHaveLength(1)
  })
})

const NOT_COUNTED = { ttlSeconds: null, services: null, endpoints: null, keys: null }

function unreachable(...args: string[]): Promise<Ran> {
  return tool.run('layouts', '--endpoints', '127.0.0.1:1', ...args)
}

test('disco layouts without etcd lists the known layouts, with a note', async () => {
  const { code, stdout, stderr } = await unreachable()
  expect(code).toBe(0)
  expect(stdout).toMatch(/seed +– +– +10s +yes +yes +\/\{name\}/)
  for (const { name } of LAYOUTS) expect(stdout).toMatch(new RegExp(`^ *${name} `, 'm'))
  expect(stderr).toContain('! etcd is not reachable at 127.0.0.1:1')
  expect(stderr).toContain('It is not known which layouts are present.')
})

describe('a key that can belong to two layouts', () => {
  const KEY = '/echo/127.0.0.1:8890'
  const [, seedValue] = registration('echo', '127.0.0.1:8890', { weight: 3 })
  const kitexValue = '{"network":"tcp","address":"127.0.0.1:8890","weight":10,"tags":null}'

  test('is decoded by its value, and a watch reports a change of the layout', async () => {
    const watch = disco.start('watch', 'echo')
    await watch.printed('"type":"synced"')
    const seen: unknown[] = []
    for (const value of [kitexValue, seedValue, kitexValue]) {
      await etcd.ctl('put', KEY, value)
      const { endpoints } = await listed('echo')
      seen.push(...endpoints.map(({ layout, weight, problem }) => [layout, weight, problem]))
    }
    expect(seen).toEqual([
      ['kitex', 10, null],
      ['seed', 3, null],
      ['kitex', 10, null],
    ])
    await watch.printed(KEY, 3)
    const events = watch.events().map(({ type, layout }) => [type, layout])
    expect(events.slice(1)).toEqual([
      ['added', 'kitex'],
      ['updated', 'seed'],
      ['updated', 'kitex'],
    ])
  })

  test('is reported as a bad value if only the other layout is read', async () => {
    await etcd.ctl('put', KEY, kitexValue)
    expect((await listed('echo', '--layout', 'seed')).endpoints[0]?.problem).toBe('value names //')
    expect((await listed('echo', '--layout', 'kitex=/')).endpoints).toMatchObject([
      { weight: 10, problem: null },
    ])
    await etcd.ctl('put', KEY, seedValue)
    expect((await listed('echo', '--layout', 'kitex=/')).endpoints[0]?.problem).toContain(
      'value names /echo/',
    )
  })
})

describe('a root', () => {
  const AT = '127.0.0.1:1001'

  test('separates two registries in one etcd, for writing and for reading', async () => {
    const prod = disco.start('register', 'hello', AT, '--root', '/prod/', '--weight', '2')
    const staging = disco.start('register', 'hello', AT, '--root', 'staging', '--layout', 'kitex')
    await prod.printed('"type":"added"')
    await staging.printed('"type":"added"')
    expect(prod.events()[0]?.key).toBe(`/prod/hello/${AT}`)
    expect(staging.events()[0]?.key).toBe(`staging/kitex/registry-etcd/hello/${AT}`)
    const inProd = await listed('hello', '--root', '/prod')
    expect(inProd.endpoints).toMatchObject([{ key: `/prod/hello/${AT}`, layout: 'seed', weight: 2 }])
    const inStaging = new Disco(etcd.endpoint, { DISCO_ROOT: 'staging/' })
    expect(ok(await inStaging.run('weight', 'hello', AT, '5'))).toContain('weight 10 → 5')
    expect(ok(await inStaging.run('ls'))).toMatch(/hello +1 +5 +\d+s +kitex\n$/)
    expect(await storedText(etcd, `/prod/hello/${AT}`)).toContain('"weight":2')
    expect(ok(await tool.run('unregister', 'hello', AT, '--root', '/prod'))).toContain('unregistered')
    expect((await prod.exited()).code).toBe(0)
    expect(await storedText(etcd, `staging/kitex/registry-etcd/hello/${AT}`)).toContain('"weight":5')
  })

  test('is suggested if the value of a key names the same key under another root', async () => {
    const [key, value] = registration('hello', AT, { version: '1.0.0' })
    await etcd.ctl('put', `/prod${key}`, value)
    const summary = await tool.run('ls')
    expect(summary).toMatchObject({ code: 0 })
    expect(summary.stderr).toContain('1 other key left out')
    expect(summary.stderr).toContain('disco ls --root /prod')
    const hello = await tool.run('ls', 'hello')
    expect(hello.code).toBe(4)
    expect(hello.stderr).toContain('It may be under another root: --root /prod')
    const { endpoints } = await listed('prod')
    expect(endpoints[0]?.problem).toBe(`value names ${key}: try --root /prod`)
    expect((await listed('hello', '--root', '/prod')).endpoints).toMatchObject([
      { version: '1.0.0', problem: null },
    ])
  })

  test('and a layout can also be given as parameters of a target', async () => {
    const greeter = await startGreeter({ port: 0 })
    const registry = await openRegistry({})
    const value = {
      id: 'pod-1',
      name: 'team/hello',
      version: 'v1',
      metadata: null,
      endpoints: [`grpc://${greeter.addr}`],
    }
    await etcd.ctl('put', '/prod/microservices/team/hello/pod-1', JSON.stringify(value))
    install({ discovery: registry })
    const client = new Client('etcd:///team/hello?root=/prod&layout=kratos', credentials.createInsecure())
    try {
      await new Promise<void>((resolve, reject) => {
        client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve()))
      })
      const called = await tool.run('call', 'team/hello', 'SayHello', '--root', '/prod')
      expect(JSON.parse(ok(called))).toMatchObject({ endpoint: greeter.addr })
    } finally {
      client.close()
      registry.close()
      greeter.stop()
    }
  })
})
