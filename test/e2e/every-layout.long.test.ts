import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EndpointsDoc } from '../../src/cli/endpoints/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { LAYOUTS, layoutNamed } from '../../src/domain/layouts/index.js'
import { Disco, type Process, type Ran, until } from '../support/disco.js'
import type { Etcd } from '../support/etcd.js'
import { storedText } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

interface Case {
  readonly layout: string
  readonly service: string
  /** Additional arguments of `register`. */
  readonly args?: readonly string[]
  /** The key with placeholders: ADDR for the address, LEASE for a decimal lease id, ID for a generated id. */
  readonly key: string
  /** The weight that is stored by default; null if the layout has no weights. */
  readonly weight: number | null
}

const CASES: readonly Case[] = [
  { layout: 'seed', service: 'of-seed', args: ['--version', '1'], key: '/of-seed/1/ADDR', weight: 1 },
  { layout: 'etcd', service: 'team/of-etcd', key: 'team/of-etcd/ADDR', weight: null },
  {
    layout: 'panshiqu',
    service: 'of-panshiqu',
    args: ['--id', '40001'],
    key: 'discovery/dev/of-panshiqu/ADDR',
    weight: null,
  },
  {
    layout: 'pandaychen',
    service: 'of-panda',
    args: ['--version', 'v2', '--id', 'node-1'],
    key: '/lb_root/of-panda/v2/node-1',
    weight: 1,
  },
  { layout: 'go-zero', service: 'of.zero', key: 'of.zero/LEASE', weight: null },
  { layout: 'kratos', service: 'of-kratos', key: '/microservices/of-kratos/ID', weight: 100 },
  { layout: 'kitex', service: 'of-kitex', key: 'kitex/registry-etcd/of-kitex/ADDR', weight: 10 },
  { layout: 'hertz', service: 'of-hertz', key: 'hertz/registry-etcd/of-hertz/ADDR', weight: 10 },
  { layout: 'go-micro', service: 'of/micro', key: '/micro/registry/of-micro/ID', weight: null },
  { layout: 'go-micro-v4', service: 'of/v4', key: '/micro/registry/of-v4/ID', weight: null },
  {
    layout: 'goframe=/service/prod/pay',
    service: 'of-goframe',
    key: '/service/prod/pay/of-goframe/latest/ADDR',
    weight: 0,
  },
  { layout: 'rpcx=/my/base', service: 'OfRpcx', key: '/my/base/OfRpcx/tcp@ADDR', weight: 1 },
  { layout: 'skydns', service: 'sky.cluster.local', key: '/skydns/local/cluster/sky/ID', weight: 0 },
  { layout: 'jupiter', service: 'of_jupiter', key: 'grpc:of_jupiter:v1:unknown-mode/ADDR', weight: 100 },
  { layout: 'ego', service: 'of-ego', key: '/ego/of-ego/providers/grpc://ADDR', weight: 100 },
  { layout: 'go-kit', service: 'of-kit', key: '/services/of-kit/ADDR', weight: null },
]

let etcd: Etcd
let disco: Disco
let tool: ResidentTool
let greeter: Greeter
let watch: Process

beforeAll(async () => {
  ;[etcd, greeter] = await Promise.all([sharedEtcd(), startGreeter({ port: 0 })])
  disco = new Disco(etcd.endpoint)
  tool = new ResidentTool(etcd.endpoint)
  watch = disco.start('watch')
  await watch.printed('"type":"synced"')
})
afterAll(async () => {
  await disco.stopAll()
  await tool[Symbol.asyncDispose]()
  greeter.stop()
})

test('every writable layout is tested', () => {
  const written = LAYOUTS.filter(({ readOnly }) => readOnly === null).map(({ name }) => name)
  expect(CASES.map(({ layout }) => layout.split('=')[0])).toEqual(written)
})

function eventsOf(service: string): Record<string, unknown>[] {
  return watch.events().filter((event) => event.service === service)
}

function keyPattern(key: string): RegExp {
  const escaped = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const id = '[0-9a-f-]{36}'
  return new RegExp(
    `^${escaped.replace('ADDR', greeter.addr).replace('LEASE', '\\d{5,}').replace('ID', id)}$`,
  )
}

function ok(ran: Ran): string {
  expect(ran.code, ran.stderr).toBe(0)
  return ran.stdout
}

async function listed(...args: string[]): Promise<EndpointsDoc> {
  return JSON.parse(ok(await tool.run('ls', ...args, '--json'))) as EndpointsDoc
}

describe.concurrent.each(CASES)('$layout', ({ layout, service, args = [], key: form, weight }) => {
  const name = layout.split('=')[0] ?? ''

  test('supports register, ls, weight, watch, call and unregister', async () => {
    const held = disco.start('register', service, greeter.addr, '--layout', layout, ...args)
    await held.printed('"type":"added"')
    const [added] = held.events()
    const key = String(added?.key)
    expect(key).toMatch(keyPattern(form))
    expect(added?.grantedTtlSeconds).toBe(layoutNamed(layout).defaultTtlSeconds || 10)

    const { endpoints } = await listed(service)
    expect(endpoints).toMatchObject([
      { key, layout: name, addr: greeter.addr, weight: weight ?? 0, share: 1 },
    ])
    expect(endpoints[0]).toMatchObject({ lease: added?.lease, problem: null })

    const before = await storedText(etcd, key)
    const weighed = await tool.run('weight', service, greeter.addr, '7')
    const after = await storedText(etcd, key)
    if (weight === null) {
      expect(weighed).toMatchObject({ code: 6, stdout: '' })
      expect(weighed.stderr).toContain(`The value of ${key} cannot carry a weight: `)
      expect(after).toBe(before)
    } else {
      expect(weighed.stdout).toContain(`weight ${weight} → 7 (rev `)
      expect(weighed.stdout).toContain('lease kept')
      const expected = layoutNamed(layout).withWeight(Buffer.from(before), 7)
      expect(after).toBe(Buffer.from(expected).toString())
      await held.printed('"type":"weight"')
    }

    const call = tool.run('call', service, 'SayHello', '-d', '{"name":"abc"}', '--json')
    const reply = JSON.parse(ok(await call)) as object
    expect(reply).toMatchObject({
      reply: { message: 'Hello abc', endpoint: greeter.addr },
      endpoints: [{ key }],
    })

    expect(ok(await tool.run('unregister', service, key, '--layout', layout))).toContain('unregistered')
    expect(await held.exited()).toMatchObject({ code: 0 })
    expect(held.events().at(-1)).toMatchObject({ type: 'gone', key, reason: 'deregistered' })
    expect(await storedText(etcd, key)).toBe('')

    await until(
      () => eventsOf(service).some(({ type }) => type === 'gone'),
      () => `the watch to report that ${service} is gone`,
    )
    const types = weight === null ? ['added', 'gone'] : ['added', 'weight', 'gone']
    expect(eventsOf(service).map(({ type }) => type)).toEqual(types)
    for (const event of eventsOf(service))
      expect(event).toMatchObject({ key, layout: name, addr: greeter.addr })
  })
})

describe('register in the layout go-zero', () => {
  test('uses a new key for a new lease, and keeps it alive like the first', async () => {
    const held = disco.start('register', 'again.rpc', greeter.addr, '--layout', 'go-zero')
    await held.printed('"type":"added"')
    const first = held.events()[0]
    await etcd.ctl('lease', 'revoke', String(first?.lease))
    await held.printed('"type":"added"', 2)
    const second = held.events().at(-1)
    expect(second).toMatchObject({ type: 'added', again: true })
    expect(second?.key).toBe(`again.rpc/${BigInt(`0x${String(second?.lease)}`)}`)
    expect(second?.key).not.toBe(first?.key)
    const { endpoints } = await listed('again.rpc')
    expect(endpoints.map(({ key }) => key)).toEqual([second?.key])
    await etcd.ctl('del', String(second?.key))
    expect(await held.exited()).toMatchObject({ code: 0 })
    expect(held.events().at(-1)).toMatchObject({ type: 'gone', key: second?.key })
  })

  test('keeps the key with --id', async () => {
    const held = disco.start('register', 'kept.rpc', greeter.addr, '--layout', 'go-zero', '--id', '100')
    await held.printed('"type":"added"')
    await etcd.ctl('lease', 'revoke', String(held.events()[0]?.lease))
    await held.printed('"type":"added"', 2)
    expect(held.events().map(({ key }) => key)).toEqual(['kept.rpc/100', 'kept.rpc/100'])
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await storedText(etcd, 'kept.rpc/100')).toBe('')
  })
})

test('an endpoint that does not speak gRPC is listed with the reason, and is not dialled', async () => {
  const value = {
    id: 'pod-1',
    name: 'mixed',
    version: 'v1',
    metadata: null,
    endpoints: ['http://127.0.0.1:1', `grpc://${greeter.addr}`],
  }
  await etcd.ctl('put', '/microservices/mixed/pod-1', JSON.stringify(value))
  const doc = await listed('mixed')
  expect(doc.endpoints).toMatchObject([
    { addr: '127.0.0.1:1', problem: 'speaks http, not gRPC', share: 0 },
    { addr: greeter.addr, problem: null, share: 1 },
  ])
  const report = JSON.parse(ok(await tool.run('call', 'mixed', 'SayHello', '--n', '5', '--json'))) as object
  expect(report).toMatchObject({ calls: 5, ok: 5, unserved: [], ready: { endpoints: 1, of: 1 } })
  // Both addresses share the weight of the key, which can be changed by either address.
  expect(ok(await tool.run('weight', 'mixed', '127.0.0.1:1', '7')).match(/weight 100 → 7/g)).toHaveLength(2)
  expect(await storedText(etcd, '/microservices/mixed/pod-1')).toBe(
    JSON.stringify({ ...value, metadata: { weight: '7' } }),
  )
})

test('weight warns that Kitex’ own clients read weight 0 as 10', async () => {
  const key = 'kitex/registry-etcd/warned/127.0.0.1:8888'
  await etcd.ctl('put', key, '{"network":"tcp","address":"127.0.0.1:8888","weight":10,"tags":null}')
  const { code, stderr } = await tool.run('weight', 'warned', '127.0.0.1:8888', '0', '--force')
  expect(code).toBe(0)
  expect(stderr).toBe("! Kitex's and Hertz' own clients read weight 0 as 10\n")
  expect(ok(await tool.run('ls', 'warned'))).toContain('clients read weight 0 as 10')
})
