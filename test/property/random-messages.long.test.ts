import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describedByFiles } from '../../src/call/description.js'
import { parseJson } from '../../src/call/messages.js'
import { seeded } from '../../src/domain/rng.js'
import type { Descriptors } from '../../src/grpc/methods/descriptors.js'
import { everythingProtoset } from '../support/echo-server.js'
import { PROTOS, protoc } from '../support/protoc.js'

const MESSAGES = 100_000
/** One message in each batch is also read and written by protoc. */
const BATCH = 2_000

const random = seeded(20)
const upTo = (most: number) => Math.floor(random() * (most + 1))
const oneOf = <Value>(values: readonly Value[]): Value => values[upTo(values.length - 1)] as Value

let folder: string
let sources: Descriptors[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disco-random-'))
  const protoset = join(folder, 'everything.bin')
  await writeFile(protoset, everythingProtoset())
  const described = [
    await describedByFiles({ protoset: [protoset] }),
    await describedByFiles({ proto: 'everything.proto', 'import-path': [PROTOS] }),
  ]
  sources = described.filter((descriptors) => descriptors !== null)
})
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }))

const SIGNED = [
  '-9223372036854775808',
  '9223372036854775807',
  '-9007199254740993',
  '9007199254740993',
  '-1',
  '1',
]
const UNSIGNED = ['18446744073709551615', '9223372036854775808', '9007199254740993', '1']

/** A value other than the default, as canonical JSON. */
function scalar(type: ScalarType): JsonValue {
  switch (type) {
    case ScalarType.BOOL:
      return true
    case ScalarType.STRING:
      return oneOf(['a', 'ü€𝄞', '"\\\n\u0000', 'x'.repeat(300)])
    case ScalarType.BYTES:
      return Buffer.from([upTo(255), upTo(255), upTo(255)]).toString('base64')
    case ScalarType.DOUBLE:
      return oneOf([1.5, -1e308, 5e-324, 0.1, random(), 'NaN', 'Infinity', '-Infinity'])
    case ScalarType.FLOAT:
      return oneOf([1.5, Math.fround(random()) || 1, -16777216, 'NaN', 'Infinity', '-Infinity'])
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return oneOf(SIGNED)
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return oneOf(UNSIGNED)
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return oneOf([1, 2 ** 32 - 1, 2 ** 31])
    default:
      return oneOf([1, -1, 2 ** 31 - 1, -(2 ** 31)])
  }
}

const SPECIAL: Readonly<Record<string, () => JsonValue>> = {
  Timestamp: () =>
    oneOf([
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999999Z',
      '2026-01-02T03:04:05.120Z',
      '1969-12-31T23:59:59Z',
    ]),
  Duration: () => oneOf(['315576000000s', '-315576000000s', '1.500s', '-0.000000001s']),
  FieldMask: () => oneOf(['a', 'a.bC,d']),
  Struct: () => ({ a: [1, 'x', null, { b: true }] }),
  Value: () => oneOf<JsonValue>([null, 1.5, 'x', true, [1], { a: 2 }]),
  ListValue: () => [1, null, 'x'],
  Any: () => ({ '@type': 'type.googleapis.com/google.protobuf.UInt64Value', value: oneOf(UNSIGNED) }),
}

function messageOf(desc: DescMessage, depth: number): JsonValue {
  const google = desc.typeName.replace(/^google\.protobuf\./, '')
  if (google !== desc.typeName) {
    const special = SPECIAL[google]
    const [wrapped] = desc.fields
    if (special) return special()
    return google.endsWith('Value') && wrapped?.fieldKind === 'scalar' ? scalar(wrapped.scalar) : {}
  }
  const json: JsonObject = {}
  for (const member of desc.members) {
    const isRequired = member.kind === 'field' && member.presence === 3
    if (!isRequired && random() < 0.6 + 0.1 * depth) continue
    const field = member.kind === 'oneof' ? oneOf(member.fields) : member
    const value = fieldOf(field, depth)
    if (value !== undefined) json[field.jsonName] = value
  }
  return json
}

function fieldOf(field: DescField, depth: number): JsonValue | undefined {
  const one = () => {
    if (field.message) return depth > 3 ? undefined : messageOf(field.message, depth + 1)
    if (field.enum) return field.enum.values.at(-1)?.name
    return scalar(field.scalar ?? ScalarType.INT32)
  }
  if (field.fieldKind === 'list') {
    const elements = Array.from({ length: 1 + upTo(2) }, one).filter((element) => element !== undefined)
    return elements.length > 0 ? elements : undefined
  }
  if (field.fieldKind !== 'map') return one()
  const key = field.mapKey === ScalarType.STRING ? 'k' : String(scalar(field.mapKey))
  const value = one()
  return value === undefined ? undefined : { [key]: value }
}

/** JSON text with 64-bit values as numbers, which is allowed in the data of a call. */
function withNumbers(json: JsonValue): string {
  return JSON.stringify(json).replaceAll(/(?<=[:[,])"(-?\d{5,20})"(?=[,}\]])/g, '$1')
}

test('random messages with all kinds of fields, and 64-bit values at their bounds, are unchanged after encoding and decoding', () => {
  const methods = sources.map((descriptors) => descriptors.method('One'))
  expect(methods).toHaveLength(2)
  const desc = sources[0]?.types.getMessage('everything.Everything')
  if (!desc) throw new Error('everything.proto has no Everything')
  for (let from = 0; from < MESSAGES; from += BATCH) {
    let last: Buffer = Buffer.alloc(0)
    for (let at = 0; at < BATCH; at++) {
      const json = messageOf(desc, 0)
      const text = at % 2 === 0 ? JSON.stringify(json) : withNumbers(json)
      const [encoder, decoder] = at % 2 === 0 ? methods : methods.toReversed()
      const bytes = encoder?.encode(parseJson(text)) ?? Buffer.alloc(0)
      const back = decoder?.decode(bytes).json
      if (!isDeepStrictEqual(back, json)) expect(back, text).toEqual(json)
      last = bytes
    }
    // protoc decodes our bytes to text, and encodes the text to an equal message.
    const args = ['everything.proto']
    const asText = protoc(['--decode=everything.Everything', ...args], last)
    const again = protoc(['--encode=everything.Everything', ...args], asText)
    expect(methods[0]?.decode(again).json).toEqual(methods[0]?.decode(last).json)
  }
}, 300_000)
