import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { Client, credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describedByFiles, describedByServer } from '../../src/call/description.js'
import type { Descriptors } from '../../src/grpc/methods/descriptors.js'
import { everythingProtoset, startEchoServer } from '../support/echo-server.js'
import { errorOf } from '../support/errors.js'
import { PROTOS, protoc } from '../support/protoc.js'

const JSON_IN = JSON.parse(readFileSync(join(PROTOS, 'everything.json'), 'utf8')) as JsonObject
const TEXT = readFileSync(join(PROTOS, 'everything.txtpb'), 'utf8')
const NEVER = new AbortController().signal

let folder: string
let protoset: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disco-proto-'))
  protoset = join(folder, 'everything.bin')
  await writeFile(protoset, everythingProtoset())
})
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }))

async function reflected(...packages: Parameters<typeof startEchoServer>[0]): Promise<Descriptors> {
  await using server = await startEchoServer(packages)
  const client = new Client(server.addr, credentials.createInsecure())
  try {
    return await describedByServer(client, 10_000, NEVER)
  } finally {
    client.close()
  }
}

function required(descriptors: Descriptors | null): Descriptors {
  if (!descriptors) throw new Error('nothing was described')
  return descriptors
}

const SOURCES: Readonly<Record<string, () => Promise<Descriptors>>> = {
  'reflection v1': () => reflected('grpc.reflection.v1'),
  'reflection v1alpha': () => reflected('grpc.reflection.v1alpha'),
  'a descriptor set': async () => required(await describedByFiles({ protoset: [protoset] })),
  'a .proto file and its imports': async () =>
    required(await describedByFiles({ proto: 'everything.proto', 'import-path': [PROTOS] })),
}

describe.each(Object.keys(SOURCES))('messages with every kind of field, described by %s,', (source) => {
  let descriptors: Descriptors
  beforeAll(async () => {
    descriptors = required((await SOURCES[source]?.()) ?? null)
  })

  test('are unchanged after encoding and decoding', () => {
    const method = descriptors.method('One')
    expect(method.decode(method.encode(JSON_IN)).json).toEqual(JSON_IN)
  })

  test('decode an unknown field beside the known fields', () => {
    const method = descriptors.method('One')
    const more = Buffer.concat([method.encode(JSON_IN), Buffer.of(0xf8, 0xff, 0x3f, 5)])
    const unknown = [{ field: 131_071, varint: '5' }]
    expect(method.decode(more)).toMatchObject({ json: { ...JSON_IN, '@unknown': unknown }, problem: null })
  })

  test('are encoded and decoded like protoc does', () => {
    const method = descriptors.method('One')
    expect(method.decode(protoc(['--encode=everything.Everything', 'everything.proto'], TEXT)).json).toEqual(
      JSON_IN,
    )
    const text = protoc(['--decode=everything.Everything', 'everything.proto'], method.encode(JSON_IN))
    expect(text.toString()).toBe(TEXT)
  })

  test('have methods of all four kinds', () => {
    expect(descriptors.methods.map(({ name, kind }) => [name, kind])).toEqual([
      ['everything.Echo/One', 'unary'],
      ['everything.Echo/Down', 'server_streaming'],
      ['everything.Echo/Up', 'client_streaming'],
      ['everything.Echo/Both', 'bidi_streaming'],
    ])
  })

  test('have a template that is a valid message with every field', () => {
    const method = descriptors.method('One')
    const template = method.description.template as JsonObject
    expect(() => method.encode(template)).not.toThrow()
    const inTemplate = new Set(Object.keys(template))
    // A message can have only one member of a oneof.
    const missing = Object.keys(JSON_IN).filter((name) => !inTemplate.has(name))
    expect(missing).toEqual(['chosenTree'])
  })
})

test('NaN and Infinity are supported as JSON in both directions', async () => {
  const method = (await SOURCES['a descriptor set']?.())?.method('One')
  for (const value of ['NaN', 'Infinity', '-Infinity']) {
    expect(method?.decode(method.encode({ aDouble: value, aFloat: value })).json).toEqual({
      aDouble: value,
      aFloat: value,
    })
  }
})

test('an unknown nested field is refused with the closest field of its message', async () => {
  const method = (await SOURCES['a descriptor set']?.())?.method('One')
  const error = errorOf(() => method?.encode({ tree: { children: [{ lable: 'x' }] } }))
  expect(error.message).toContain('"lable"')
  expect(error.suggestions).toEqual(['Did you mean label?', 'Fields of everything.Tree: label, children'])
})

test('the .proto text that --describe prints is accepted by protoc, except for nested types', async () => {
  const { proto } = required((await SOURCES['a descriptor set']?.()) ?? null).method('Both').description
  expect(proto).toContain('rpc Both (stream everything.Everything) returns (stream everything.Everything);')
  expect(proto).toContain('  optional int32 maybe = 24;')
  expect(proto).toContain('  map<int64, everything.Tree> by_number = 20;')
  expect(proto).toContain('  oneof choice {\n    string chosen_text = 22;')
  expect(proto).toContain('  required string name = 1;')
  expect(proto).not.toContain('message google.protobuf')
})

test('a wrong value is refused with the valid values or the type', async () => {
  const method = (await SOURCES['a descriptor set']?.())?.method('One')
  const enumeration = errorOf(() => method?.encode({ color: 'COLOR_BLEU' }))
  expect(enumeration).toMatchObject({ code: 'USAGE' })
  expect(enumeration.suggestions).toEqual([
    'Did you mean COLOR_BLUE?',
    'Values of everything.Color: COLOR_UNSPECIFIED, COLOR_RED, COLOR_BLUE',
  ])
  expect(errorOf(() => method?.encode({ aBool: 'f' }))).toMatchObject({ code: 'USAGE', suggestions: [] })
})
