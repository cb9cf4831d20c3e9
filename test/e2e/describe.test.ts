import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Etcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { compiled, ReflectingServer } from '../support/reflecting-server.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'
import { sharedEtcd } from '../support/shared-etcd.js'
import { temporaryFile } from '../support/temporary-file.js'

let etcd: Etcd
let tool: ResidentTool

beforeAll(async () => {
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
})
afterAll(async () => {
  await tool[Symbol.asyncDispose]()
})

const SHOP = `syntax = "proto3"; package shop; import "google/protobuf/any.proto";
  message Order { string id = 1; Price price = 2; Size size = 3; google.protobuf.Any more = 4; }
  message Price { int64 cents = 1; Order of = 2; }
  enum Size { SMALL = 0; LARGE = 1; }
  service Shop { rpc Buy (Order) returns (Price); rpc List (Order) returns (stream Order); }
  service Returns { rpc Buy (Order) returns (Order); }`
const FILES = compiled({
  'shop.proto': SHOP,
  'other.proto': 'syntax = "proto3"; package other; message Hidden { bool is = 1; } message Order {}',
})

let server: ReflectingServer

beforeAll(async () => {
  const services = ['shop.Shop', 'shop.Returns']
  server = await new ReflectingServer({ files: FILES, services }).start()
  await etcd.ctl('put', ...registration('shop', server.addr))
})
afterAll(() => server[Symbol.asyncDispose]())

async function described(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tool.run('call', 'shop', ...args)
  expect(code, stderr).toBe(0)
  return stdout
}

test('--describe shows a service, a method, a message, an enum, and the type of a field', async () => {
  const service = await described('--describe', 'shop.Shop')
  expect(service).toBe(`service shop.Shop {
  rpc Buy (shop.Order) returns (shop.Price);
  rpc List (shop.Order) returns (stream shop.Order);
}
`)
  const method = await described('--describe', 'shop.Shop/Buy')
  expect(method).toContain('service shop.Shop {\n  rpc Buy (shop.Order) returns (shop.Price);\n}')
  const price = 'message shop.Price {\n  int64 cents = 1;\n  shop.Order of = 2;\n}'
  expect(method).toContain(price)
  const message = await described('--describe', '.shop.Price')
  expect(message.startsWith(price)).toBe(true)
  expect(message).not.toContain('service')
  expect(JSON.parse(message.slice(message.indexOf('shop.Price in JSON:\n') + 20))).toEqual({
    cents: '0',
    of: { id: '', price: {}, size: 'SMALL', more: { '@type': 'type.googleapis.com/shop.Price' } },
  })
  const size = 'enum shop.Size {\n  SMALL = 0;\n  LARGE = 1;\n}\n'
  expect(await described('Size', '--describe')).toBe(size)
  expect(await described('shop.Order.size', '--describe')).toBe(size)
  expect(await described('shop.Order.price', '--describe')).toBe(message)
  expect(await described('shop.Order.id', '--describe')).toContain('message shop.Order {')
  // No service imports the file of this type.
  expect(await described('other.Hidden', '--describe')).toContain('message other.Hidden {\n  bool is = 1;\n}')
  expect(await described('google.protobuf.Any', '--describe')).toContain('bytes value = 2;')
  expectShape('type', JSON.parse(await described('shop.Price', '--describe', '--json')))
  expect(await described('shop.Price', '--describe', '-o', 'name')).toBe('shop.Price\n')
})

test('--describe refuses an ambiguous or unknown name, and lists the candidates', async () => {
  const several = await tool.run('call', 'shop', 'Buy', '--describe')
  expect(several).toMatchObject({ code: 2, stdout: '' })
  expect(several.stderr).toContain('Name one: shop.Shop/Buy, shop.Returns/Buy')
  const none = await tool.run('call', 'shop', 'shop.Ordr', '--describe')
  expect(none).toMatchObject({ code: 4, stdout: '' })
  expect(none.stderr).toContain('Unknown method, service or type "shop.Ordr"')
  expect(none.stderr).toContain('Did you mean shop.Order?')
  expect(none.stderr).toContain('Available: shop.Shop, shop.Shop/Buy')
})

test('--describe names missing imports, with the importing file and the remedy', async () => {
  const source = `syntax = "proto3"; package gap; import "no/where.proto"; message A { no.B b = 1; C c = 2; }
    message C { string own = 1; } service S { rpc Do(A) returns (A); rpc Other(C) returns (C); }`
  await using file = await temporaryFile('gap.proto', source)
  for (const name of ['Do', 'gap.A', 'gap.S']) {
    const { code, stdout, stderr } = await tool.run('call', 'shop', name, '--describe', '--proto', file.path)
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/no\.B is not described: .*gap\.proto imports no\/where\.proto, which is missing/)
    expect(stderr).toContain('--import-path')
    expect(stdout).not.toContain('message no.B')
  }
  const whole = await tool.run('call', 'shop', 'gap.C', '--describe', '--proto', file.path)
  expect(whole).toMatchObject({ code: 0, stderr: '' })
})

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)

/** Schemas that are recursive, or larger than a person reads. */
const HUGE: Readonly<Record<string, string>> = {
  '12 types of 8 fields, every field of the next type': numbers(12)
    .map((at) => {
      const field = (number: number) => (at < 11 ? `T${at + 1} f${number} = ${number + 1};` : '')
      return `message T${at} { ${numbers(8).map(field).join(' ')} int32 own = 9; }`
    })
    .join('\n'),
  '10 types, each with a field of every other': numbers(10)
    .map(
      (at) =>
        `message T${at} { ${numbers(10)
          .map((other) => `T${other} f${other} = ${other + 1};`)
          .join(' ')} }`,
    )
    .join('\n'),
  '10,000 types, each in the one before': numbers(10_000)
    .map((at) => `message T${at} { ${at < 9_999 ? `T${at + 1} next = 1;` : ''} int32 own = 2; }`)
    .join('\n'),
  'a type with 18,000 fields': `message T0 { ${numbers(18_000)
    .map((at) => `int32 f${at} = ${at + 1};`)
    .join(' ')} }`,
}

test.each(Object.keys(HUGE))(
  '--describe of %s ends, and shows the types closest to the name',
  async (what) => {
    const source = `syntax = "proto3"; package huge; service S { rpc Do (T0) returns (T0); }\n${HUGE[what]}`
    await using file = await temporaryFile('huge.proto', source)
    for (const name of ['Do', 'huge.T0']) {
      const args = ['call', 'shop', name, '--describe', '--proto', file.path]
      const { code, stdout, stderr } = await tool.run(...args)
      expect(code, stderr).toBe(0)
      expect(stdout).toContain('message huge.T0 {')
      expect(stdout.length).toBeLessThan(2 ** 20)
      const doc = JSON.parse((await tool.run(...args, '--json')).stdout)
      expect(doc).toMatchObject({ truncated: true })
      expect(stdout).toContain('Not everything is shown')
    }
  },
)
