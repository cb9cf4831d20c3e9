import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { expect, it } from 'vitest'
import { Descriptors } from '../../../../src/grpc/methods/descriptors.js'
import type { Method } from '../../../../src/grpc/methods/method.js'
import { parseProto } from '../../../../src/grpc/methods/proto-source/parse.js'
import { PROTOS } from '../../../support/protoc.js'

function methodOf(name: string, ...files: string[]): Method {
  const parsed = files.map((file) => parseProto(readFileSync(join(PROTOS, file), 'utf8'), file))
  return new Descriptors(parsed, 'Described by the test').method(name)
}

function expectBack(method: Method, json: JsonObject, bytes: string): void {
  const encoded = method.encode(json)
  expect(method.decode(encoded).json).toEqual(json)
  expect(encoded.toString('hex')).toBe(bytes)
}

it('editions determine presence, delimited encoding and packing', () => {
  const job = {
    name: '',
    id: '0',
    owner: '',
    parent: { name: 'p' },
    state: 'DONE',
    steps: [1, 2],
    sizes: [1, 2],
    '[edition.cost]': '18446744073709551615',
  }
  const { id, ...sent } = job
  expect(id).toBe('0')
  expectBack(
    methodOf('Start', 'edition.proto'),
    sent,
    // parent is a group, steps are one by one, sizes packed; an empty owner and name are there.
    '12001b3a01701c2002280128023202010 23a00a006ffffffffffffffffff01'.replaceAll(' ', ''),
  )
})

it('groups and extensions of proto2 are ordinary fields in JSON', () => {
  const order: JsonObject = {
    id: 7,
    address: { street: 'Main', line: [{ number: '18446744073709551615' }] },
    item: [{ sku: '1' }, {}],
    card: { number: '42' },
    size: 'SMALL',
    '[groups.priority]': '-9223372036854775808',
    '[groups.note]': { text: 'x' },
    '[groups.related]': [{ id: 1 }],
    '[groups.Holder.holder]': { name: 'h' },
    '[groups.Holder.scores]': ['-1'],
  }
  const method = methodOf('Place', 'groups.proto', 'legacy.proto')
  expect(method.decode(method.encode(order)).json).toEqual(order)
  expect(method.encode({ id: 1, card: { number: '4' } }).toString('hex')).toBe('0801230a013424')
})

it('custom options have no effect on encoding', () => {
  const book = { id: '1', theTitle: 't', pages: { '5': { text: 'x', kind: 'BACK' } }, state: 'STATE_LENT' }
  const method = methodOf('Get', 'options.proto')
  expect(method.decode(method.encode(book)).json).toEqual(book)
  expect(methodOf('Follow', 'options.proto').kind).toBe('bidi_streaming')
})

it.each([
  ['message A { string a = 1 }', 'x.proto:1:26: expected ";", found }'],
  ['message A {', 'x.proto:1:12: expected a name, found the end of the file'],
  ['syntax = "proto4";', 'unknown syntax "proto4"'],
  ['edition = "1999";', 'unknown edition "1999"'],
  ['message A { string a = "1"; }', 'x.proto:1:24: expected a number, found "1"'],
  ['service S { rpc A(B) return (C); }', 'expected "returns", found return'],
  ['import x;', 'x.proto:1:8: expected a string, found x'],
  ['message A { string ä = 1; }', 'x.proto:1:20: unexpected character "ä"'],
  ['wat', 'x.proto:1:1: expected a declaration, found wat'],
])('%j is refused with its place', (source, message) => {
  expect(() => parseProto(source, 'x.proto')).toThrow(message)
})

it.each([
  ['message A { int32 a = 1; string b = 1; }', 'field number 1 of "b" is that of "a"'],
  [
    'message A { int32 a = 1; oneof o { string b = 2; bool c = 1; } }',
    'field number 1 of "c" is that of "a"',
  ],
  ['message A { int32 a = 1; string a = 2; }', 'A has two fields "a"'],
  ['message A { map<string, int32> a = 3; A b = 3; }', 'field number 3 of "b" is that of "a"'],
  ['message A { int32 a = 0; }', 'field number 0 of "a" is out of range, from 1 to 536870911'],
  ['message A { int32 a = 536870912; }', 'field number 536870912 of "a" is out of range'],
])('refuses what protoc refuses about the numbers of fields, with the place: %s', (source, message) => {
  const text = `syntax = "proto3";\n${source}`
  expect(() => parseProto(text, 'a.proto')).toThrow(message)
  expect(() => parseProto(text, 'a.proto')).toThrow(/^a\.proto:2:\d+: /)
})
