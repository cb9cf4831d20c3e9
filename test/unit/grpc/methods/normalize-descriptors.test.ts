import { clone, create, createFileRegistry } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from 'vitest'
import { jsonNameOf, normalizeFiles } from '../../../../src/grpc/methods/normalize-descriptors.js'
import { SHOP, TYPES } from '../../../support/descriptors.js'

function normalized(name: string, files = [SHOP, TYPES]): FileDescriptorProto {
  const file = normalizeFiles(files).files.find((each) => each.name === name)
  if (!file) throw new Error(`${name} is gone`)
  return file
}

const registryOf = (...file: FileDescriptorProto[]) =>
  createFileRegistry(create(FileDescriptorSetSchema, { file }))

describe('a file described without dependencies and with partially qualified names', () => {
  const shop = normalized('shop/shop.proto')
  const [order] = shop.messageType

  it('gets full names from the innermost scope that has the name', () => {
    expect(order?.field.map(({ typeName }) => typeName)).toEqual([
      '.shop.types.Item',
      '.shop.types.Item.Id',
      '.shop.types.Size',
      '.shop.api.Order.Note',
      '',
    ])
    expect(shop.service.flatMap(({ method }) => method.map(({ inputType }) => inputType))).toEqual([
      '.shop.api.Order',
      '.shop.types.Item',
      '.shop.api.Note',
    ])
  })

  it('leaves a full name as it is', () => {
    expect(shop.service[0]?.method[0]?.outputType).toBe('.shop.api.Order')
  })

  it('gets the dependencies that its names need, each once', () => {
    expect(shop.dependency).toEqual(['shop/types.proto'])
    expect(normalized('shop/types.proto').dependency).toEqual([])
  })

  it('gets JSON names, also in nested messages', () => {
    expect(order?.field.map(({ jsonName }) => jsonName)).toEqual([
      'firstItem',
      'itemId',
      'size',
      'note',
      'plain',
    ])
    expect(order?.nestedType[0]?.field[0]?.jsonName).toBe('text')
  })

  it('can then be used to build a registry, which failed before', () => {
    expect(() => registryOf(TYPES, SHOP)).toThrow()
    expect(
      registryOf(...normalizeFiles([TYPES, SHOP]).files).getService('shop.api.Shop')?.methods,
    ).toHaveLength(2)
  })

  it('is not modified itself', () => {
    const before = clone(FileDescriptorProtoSchema, SHOP)
    normalizeFiles([SHOP, TYPES])
    expect(SHOP).toEqual(before)
  })
})

describe('sorted files', () => {
  const file = (name: string, ...dependency: string[]) =>
    create(FileDescriptorProtoSchema, { name, dependency, syntax: 'proto3' })
  const orderOf = (...files: FileDescriptorProto[]) => normalizeFiles(files).files.map(({ name }) => name)

  it('have dependencies first, whatever the order of the server', () => {
    expect(orderOf(file('a', 'b', 'c'), file('b', 'c'), file('c'))).toEqual(['c', 'b', 'a'])
    expect(orderOf(file('c'), file('b', 'c'), file('a', 'b', 'c'))).toEqual(['c', 'b', 'a'])
    expect(orderOf(SHOP, TYPES)).toEqual(['shop/types.proto', 'shop/shop.proto'])
  })

  it('may include circular and missing imports', () => {
    expect(orderOf(file('a', 'b'), file('b', 'a'), file('c', 'nowhere'))).toEqual(['b', 'a', 'c'])
  })
})

it('keep a given JSON name', () => {
  const own = clone(FileDescriptorProtoSchema, TYPES)
  for (const field of own.messageType[0]?.field ?? []) field.jsonName = 'preis'
  expect(normalized('shop/types.proto', [own]).messageType[0]?.field[0]?.jsonName).toBe('preis')
})

it.each([
  ['name', 'name'],
  ['unit_price', 'unitPrice'],
  ['a__b', 'aB'],
  ['_lead', 'Lead'],
  ['trail_', 'trail'],
  ['v_1', 'v1'],
  ['Already_Camel', 'AlreadyCamel'],
])('%s is %s in JSON, as protoc has it', (name, jsonName) => {
  expect(jsonNameOf(name)).toBe(jsonName)
})
