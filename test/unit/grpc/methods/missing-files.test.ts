import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Descriptors } from '../../../../src/grpc/methods/descriptors.js'
import { parseProto } from '../../../../src/grpc/methods/proto-source/parse.js'
import { readProtoFile } from '../../../../src/grpc/methods/schema-files.js'
import { errorOf } from '../../../support/errors.js'

const SHOP = parseProto(
  `syntax = "proto3";
   package shop;
   import "money/money.proto";
   import "google/protobuf/timestamp.proto";
   message Order { string id = 1; money.Price price = 2; google.protobuf.Timestamp at = 3; }
   service Shop {
     rpc Buy(Order) returns (Order);
     rpc Pay(money.Price) returns (Order);
   }`,
  'shop.proto',
)

describe('a file with a missing import', () => {
  const shop = new Descriptors([SHOP], 'Described by shop.proto', undefined, 'Give the folder')
  const why = 'money.Price is not described: shop.proto imports money/money.proto, which is missing'

  it('can be used for everything that does not need the import', () => {
    const buy = shop.method('Buy')
    const order = { id: 'a', at: '2026-01-02T03:04:05Z' }
    expect(buy.decode(buy.encode(order)).json).toEqual(order)
    expect(shop.methods).toHaveLength(2)
  })

  it('is reported with its importer and the remedy if a field needs the import', () => {
    const error = errorOf(() => shop.method('Buy').encode({ price: { cents: 1 } }))
    expect(error).toMatchObject({ code: 'USAGE', suggestions: [why, 'Give the folder'] })
  })

  it('is reported if the whole request needs the import', () => {
    const error = errorOf(() => shop.method('Pay').encode({}))
    expect(error.message).toBe(`shop.Shop/Pay cannot be called: ${why}`)
    expect(error.suggestions).toEqual(['Give the folder'])
  })

  it('is listed among the gaps', () => {
    expect(shop.gaps).toEqual([why, 'Give the folder'])
  })

  it('may be an empty placeholder, with which Go servers describe a file that they lack', () => {
    const placeholder = create(FileDescriptorProtoSchema, { name: 'money/money.proto' })
    expect(new Descriptors([placeholder, SHOP], 'x').gaps).toEqual([why])
  })

  it('may be present under another file name: the type is found by its own name', () => {
    const money = parseProto(
      'syntax = "proto3"; package money; message Price { int64 cents = 1; }',
      'protos/money/money.proto',
    )
    const { gaps, ...descriptors } = new Descriptors([SHOP, money, { ...money, name: 'money.proto' }], 'x')
    expect(gaps).toEqual([])
    expect(descriptors).toBeDefined()
    const buy = new Descriptors([SHOP, money, { ...money, name: 'money.proto' }], 'x').method('Buy')
    const order = { price: { cents: '5' } }
    expect(buy.decode(buy.encode(order)).json).toEqual(order)
  })
})

it('a service that is listed but not described is reported', () => {
  const services = ['shop.Shop', 'shop.Hidden']
  expect(new Descriptors([SHOP], 'x', services).gaps[0]).toBe('Listed, but not described: shop.Hidden')
})

it('a type that is in no file is an error if no import is missing', () => {
  const file = parseProto('syntax = "proto3"; message A { Nowhere b = 1; }', 'a.proto')
  expect(() => new Descriptors([file], 'x')).toThrow('a.proto uses Nowhere, which no file defines')
})

describe('--proto', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'disco-imports-'))
    mkdirSync(join(folder, 'api/shop'), { recursive: true })
    writeFileSync(join(folder, 'api/types.proto'), 'syntax = "proto3"; package t; message T { int32 n = 1; }')
    writeFileSync(
      join(folder, 'api/shop/shop.proto'),
      `syntax = "proto3";
       import "types.proto";
       import "google/protobuf/descriptor.proto";
       import "google/rpc/status.proto";
       extend google.protobuf.FieldOptions { string mark = 50000; }
       message Q { t.T t = 1 [(mark) = "x"]; google.rpc.Status status = 2; }
       service S { rpc Do(Q) returns (Q); }`,
    )
    writeFileSync(join(folder, 'bad.proto'), 'syntax = "proto3";\nmessage A {\n  int32 = 1;\n}')
  })
  afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

  it('names the folder that contains a missing import', async () => {
    const { remedy } = await readProtoFile(join(folder, 'api/shop/shop.proto'), [])
    expect(remedy).toMatch(/^Found there: --import-path .*api$/)
  })

  it('finds imports in an import path, and the files of Google without one', async () => {
    const { files } = await readProtoFile('shop/shop.proto', [join(folder, 'api')])
    const descriptors = new Descriptors(files, 'x')
    expect(files.map(({ name }) => name)).toEqual(['shop/shop.proto', 'types.proto'])
    expect(descriptors.gaps).toEqual([])
    const method = descriptors.method('Do')
    const json = {
      t: { n: 1 },
      status: { code: 3, details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'R' }] },
    }
    expect(method.decode(method.encode(json)).json).toEqual(json)
  })

  it('shows the position of a syntax error in a .proto file', async () => {
    await expect(readProtoFile(join(folder, 'bad.proto'), [])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('bad.proto:3:9: expected a name, found ='),
    })
  })
})

it('names an unreadable file once, with the line', async () => {
  const content = { name: 'standard input', content: Buffer.from('syntax = "proto3";\nmessage {') }
  const error = await readProtoFile(content, []).catch((thrown: Error) => thrown)
  expect((error as Error).message).toBe('Cannot read standard input:2:9: expected a name, found {')
})
