import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { ofServer } from '../../src/call/description.js'
import { endpointsDoc } from '../../src/cli/endpoints/document.js'
import { renderEndpoints } from '../../src/cli/endpoints/table.js'
import { uncolored } from '../../src/cli/terminal/color.js'
import { jsonLine } from '../../src/cli/terminal/visible.js'
import { DiscoError } from '../../src/domain/errors.js'
import { AUTO, readerOf } from '../../src/domain/layouts/reader.js'
import { readReflected, unreadable } from '../../src/grpc/methods/reflection.js'
import { type ReflectionResponse, reflectionMessages } from '../../src/grpc/methods/reflection-protocol.js'
import { decodeEndpoints } from '../../src/registry/decode.js'
import { damaged, seededRandom } from '../support/damage.js'
import { rounds } from '../support/effort.js'
import { ALL_EXAMPLES } from '../support/vectors.js'

const ROUNDS = rounds({ quick: 30_000, long: 30_000, full: 100_000 })
/** Limit of CPU time for one input. It is generous: it separates slow inputs from endless ones. */
const MAX_MS = 5_000
const TIMEOUT = 600_000

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)
console.log(`seed ${SEED}: FUZZ_SEED=${SEED} repeats this run`)

type Random = () => number

const upTo = (random: Random, most: number) => Math.floor(random() * (most + 1))
const oneOf = <Item>(random: Random, items: readonly Item[]): Item =>
  items[upTo(random, items.length - 1)] as Item
const many = <Item>(random: Random, most: number, make: () => Item): Item[] =>
  Array.from({ length: upTo(random, most) }, make)

/** Runs one input. Fails if it throws anything but a DiscoError, or takes too long. */
async function survives(what: string, run: () => unknown): Promise<void> {
  const start = process.cpuUsage()
  try {
    await run()
  } catch (thrown) {
    const { exit } = DiscoError.from(thrown)
    if (exit === 1) throw new Error(`${what}: ${(thrown as Error).stack}`, { cause: thrown })
  }
  const { user, system } = process.cpuUsage(start)
  const elapsedMs = (user + system) / 1_000
  if (elapsedMs > MAX_MS) throw new Error(`${what} took ${elapsedMs} ms`)
}

const PROTOCOL = reflectionMessages('grpc.reflection.v1')

/** Deserializes the bytes of an answer like the client. grpc-js turns an error here into a failed call. */
function received(bytes: Uint8Array): ReflectionResponse {
  try {
    return toJson(PROTOCOL.response, fromBinary(PROTOCOL.response, bytes)) as ReflectionResponse
  } catch (cause) {
    throw new DiscoError('RPC_FAILED', 'Response message parsing failure', { cause })
  }
}

/** Everything that the tool does with the description of a server. */
async function useServer(ask: () => ReflectionResponse, random: Random): Promise<void> {
  const reflected = await readReflected(
    async () => ask(),
    'grpc.reflection.v1',
    () => 'a:1',
  ).catch((thrown: unknown) => {
    throw thrown instanceof DiscoError ? thrown : unreadable('a:1', thrown)
  })
  const descriptors = ofServer(reflected)
  for (const { name } of descriptors.methods.slice(0, 2)) {
    const method = descriptors.method(name)
    for (const use of [
      () => method.description.proto,
      () => method.encode(method.description.template),
      () => method.encode({ a: 'x', b: [1], c: { d: null } }),
      () => method.decode(method.encode({})),
      () => method.decode(randomBytes(random, 40)),
    ]) {
      await survives(name, use)
    }
  }
}

function randomBytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: upTo(random, most) }, () => upTo(random, 255)))
}

const BAD_NAMES = [
  '',
  '.',
  'a.b',
  'a/b',
  'a b',
  '\u0000',
  '\u202e',
  'é',
  'x'.repeat(300),
  '$',
  '1a',
  'a',
  'E',
  'A',
]
const ODD_NAMES = ['__proto__', 'constructor', 'toString', 'value', 'key', 'hasOwnProperty']
const FILES = ['a.proto', 'b.proto', 'c.proto', 'google/protobuf/any.proto', '', '../x']
const MESSAGES = ['.p.A', '.p.B']
const ODD_TYPES = ['.p.M', 'A', 'E', '.p.E', '.q.A', '', '.', '.p.A.N', 'p.A', '.google.protobuf.Any', '.p.S']
const [MESSAGE, ENUM, GROUP] = [11, 14, 10]

/** One in this many parts of a description is wrong. */
const RIGHT_PER_WRONG = 60

function isWrong(random: Random): boolean {
  return random() * RIGHT_PER_WRONG < 1
}

function nameOf(random: Random, name: string): string {
  if (isWrong(random)) return oneOf(random, BAD_NAMES)
  return isWrong(random) ? oneOf(random, ODD_NAMES) : name
}

function typeOf(random: Random, types: readonly string[] = MESSAGES): string {
  return isWrong(random) ? oneOf(random, ODD_TYPES) : oneOf(random, types)
}

/** A nearly correct description. Most of its faults are in how its parts refer to each other. */
function fileOf(random: Random): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, {
    name: isWrong(random) ? oneOf(random, FILES) : 'a.proto',
    package: isWrong(random) ? oneOf(random, ['', 'q', 'p.q', '.', 'p..q']) : 'p',
    syntax: isWrong(random) ? oneOf(random, ['editions', '', 'x']) : oneOf(random, ['proto3', 'proto2']),
    dependency: isWrong(random) ? many(random, 2, () => oneOf(random, FILES)) : [],
    publicDependency: isWrong(random) ? [upTo(random, 3)] : [],
    messageType: [
      messageOf(random, 'A'),
      messageOf(random, 'B'),
      ...many(random, 1, () => messageOf(random, 'M')),
    ],
    enumType: [
      {
        name: nameOf(random, 'E'),
        value: isWrong(random)
          ? []
          : [0, 1].map((number) => ({ name: nameOf(random, `E${number}`), number })),
      },
    ],
    extension: isWrong(random) ? [fieldOf(random, 9, true)] : [],
    service: [
      {
        name: nameOf(random, 'S'),
        method: ['Do', 'Go'].map((name) => ({
          name: nameOf(random, name),
          inputType: typeOf(random),
          outputType: typeOf(random),
          clientStreaming: random() < 0.3,
          serverStreaming: random() < 0.3,
        })),
      },
    ],
  })
}

function messageOf(random: Random, name: string, level = 0): DescriptorProto {
  const oneofs = random() < 0.3 ? [{ name: nameOf(random, 'choice') }] : []
  return create(DescriptorProtoSchema, {
    name: nameOf(random, name),
    field: Array.from({ length: upTo(random, 4) }, (_, at) => fieldOf(random, at, false, oneofs.length)),
    nestedType: random() < 0.1 && level < 2 ? [messageOf(random, 'N', level + 1)] : [],
    oneofDecl: oneofs,
    options: isWrong(random) ? { mapEntry: true } : undefined,
  })
}

function fieldOf(random: Random, at: number, isExtension: boolean, oneofs = 0): FieldDescriptorProto {
  const scalar = oneOf(random, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18])
  const right = random() < 0.3 ? oneOf(random, [MESSAGE, ENUM]) : scalar
  const type = isWrong(random) ? oneOf(random, [0, GROUP, 19, 20, MESSAGE, ENUM]) : right
  const inOneof = oneofs > 0 && random() < 0.4
  return create(FieldDescriptorProtoSchema, {
    name: nameOf(random, `f${at}`),
    number: isWrong(random) ? oneOf(random, [0, -1, 1, 19_000, 2 ** 29, 2 ** 31 - 1]) : at + 1,
    label: isWrong(random) ? upTo(random, 4) : random() < 0.3 && !inOneof ? 3 : 1,
    type,
    typeName:
      type === MESSAGE || type === GROUP ? typeOf(random) : type === ENUM ? typeOf(random, ['.p.E']) : '',
    extendee: isExtension ? typeOf(random) : '',
    defaultValue: isWrong(random) ? oneOf(random, ['x', '1', 'nan', '\\', 'true', '9'.repeat(40)]) : '',
    jsonName: isWrong(random) ? oneOf(random, [...BAD_NAMES, ...ODD_NAMES]) : '',
    ...(inOneof ? { oneofIndex: isWrong(random) ? upTo(random, 3) - 1 : 0 } : {}),
    proto3Optional: isWrong(random),
  })
}

/** A server that lists services, and answers each request with the next random answer. */
function lyingServer(random: Random): () => ReflectionResponse {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  let isFirst = true
  return () => {
    if (isFirst) {
      isFirst = false
      const most = random() < 0.001 ? 5_000 : 2
      const names = ['p.S', ...many(random, most, () => nameOf(random, 'p.S'))]
      return { listServicesResponse: { service: names.map((name) => ({ name })) } }
    }
    if (random() < 0.05) return { errorResponse: { errorCode: 5, errorMessage: 'no' } }
    const files = many(random, 1, () => toBinary(FileDescriptorProtoSchema, fileOf(random)))
    const sent = files.map((bytes) => (isWrong(random) ? damaged(Buffer.from(bytes), random) : bytes))
    return { fileDescriptorResponse: { fileDescriptorProto: sent.map(base64) } }
  }
}

test('random bytes as answers of server reflection are reported as failures of the server', {
  timeout: TIMEOUT,
}, async () => {
  const random = seededRandom(SEED)
  for (let round = 0; round < ROUNDS; round++) {
    await survives(`round ${round}`, () => useServer(() => received(randomBytes(random, 60)), random))
  }
})

test('inconsistent descriptions are reported as failures of the server', { timeout: TIMEOUT }, async () => {
  const random = seededRandom(SEED + 1)
  let used = 0
  for (let round = 0; round < ROUNDS; round++) {
    await survives(`round ${round}`, async () => {
      await useServer(lyingServer(random), random)
      used++
    })
  }
  // If all descriptions were refused at once, the later code would not be tested.
  expect(used).toBeGreaterThan(ROUNDS / 20)
})

const READER = readerOf({ layout: AUTO, root: '' })
/** Control characters, and characters that reorder or hide text. */
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

/** Renders a table only in every fifth round, because this takes most of the time. */
function useValue(key: string, value: Buffer, round: number): void {
  const kv = { key, value, lease: null, createRevision: 1, modRevision: 1 }
  const endpoints = decodeEndpoints(READER, kv)
  const doc = endpointsDoc('hello', { revision: 1, endpoints }, new Map())
  const table = round % 5 === 0 ? [renderEndpoints([doc], uncolored, { wide: true })] : []
  const printed = [...table, ...doc.endpoints.map(jsonLine)]
  expect(printed.find((text) => HARMFUL.test(text))).toBeUndefined()
}

test('random bytes as values in etcd are read as endpoints with a problem', {
  timeout: TIMEOUT,
}, async () => {
  const random = seededRandom(SEED + 2)
  for (let round = 0; round < ROUNDS; round++) {
    const { key } = oneOf(random, ALL_EXAMPLES)
    await survives(`round ${round}`, () => useValue(key, randomBytes(random, 80), round))
  }
})

test('damaged values of every layout are read as endpoints with a problem', {
  timeout: TIMEOUT,
}, async () => {
  const random = seededRandom(SEED + 3)
  for (let round = 0; round < ROUNDS; round++) {
    const { key, value } = oneOf(random, ALL_EXAMPLES)
    const wrongKey = random() < 0.2 ? damaged(Buffer.from(key), random).toString() : key
    await survives(`round ${round}`, () => useValue(wrongKey, damaged(Buffer.from(value), random), round))
  }
})
