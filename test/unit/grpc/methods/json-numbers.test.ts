import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../../src/call/messages.js'
import { errorOf } from '../../../support/errors.js'
import { numbersMethod } from '../../../support/number-messages.js'

const method = numbersMethod()
const sent = (text: string) => method.decode(method.encode(parseJson(text))).json

describe('a JSON number', () => {
  it.each([
    ['{"int64":-9223372036854775808}', { int64: '-9223372036854775808' }],
    ['{"int64":-1859648232592957566}', { int64: '-1859648232592957566' }],
    ['{"int64":9223372036854775807}', { int64: '9223372036854775807' }],
    ['{"uint64":18446744073709551615}', { uint64: '18446744073709551615' }],
    ['{"sint64":9007199254740993}', { sint64: '9007199254740993' }],
    ['{"fixed64":18446744073709551615}', { fixed64: '18446744073709551615' }],
    ['{"sfixed64":-9223372036854775808}', { sfixed64: '-9223372036854775808' }],
    ['{"int64":9.223372036854775807e18}', { int64: '9223372036854775807' }],
    ['{"int64":1.0,"int32":3e2,"uint32":10.00}', { int64: '1', int32: 300, uint32: 10 }],
    ['{"int64":-0,"int32":-0}', { int64: '0', int32: 0 }],
    ['{"list":[9007199254740993,1]}', { list: ['9007199254740993', '1'] }],
    ['{"chosen":9007199254740993}', { chosen: '9007199254740993' }],
    [
      '{"values":{"-9223372036854775808":9007199254740993}}',
      { values: { '-9223372036854775808': '9007199254740993' } },
    ],
    [
      '{"keys":{"18446744073709551615":{"int64":9007199254740993}}}',
      { keys: { '18446744073709551615': { int64: '9007199254740993' } } },
    ],
    ['{"wrappedInt64":9007199254740993}', { wrappedInt64: '9007199254740993' }],
    ['{"wrapped_uint64":18446744073709551615}', { wrappedUint64: '18446744073709551615' }],
    ['{"[numbers.extended]":9007199254740993}', { '[numbers.extended]': '9007199254740993' }],
    ['{"inner":{"inner":{"uint64":9007199254740993}}}', { inner: { inner: { uint64: '9007199254740993' } } }],
    ['{"color":1.0}', { color: 'RED' }],
    ['{"double":1.50,"float":2e0}', { double: 1.5, float: 2 }],
    ['{"free":{"a":[1e2,{"b":2.50}]}}', { free: { a: [100, { b: 2.5 }] } }],
    [
      '{"any":{"@type":"type.googleapis.com/numbers.Numbers","int64":9007199254740993}}',
      { any: { '@type': 'type.googleapis.com/numbers.Numbers', int64: '9007199254740993' } },
    ],
    [
      '{"any":{"@type":"type.googleapis.com/google.protobuf.UInt64Value","value":18446744073709551615}}',
      { any: { '@type': 'type.googleapis.com/google.protobuf.UInt64Value', value: '18446744073709551615' } },
    ],
  ])('reaches its field with every digit: %s', (text, expected) => {
    expect(sent(text)).toEqual(expected)
  })

  it.each([
    ['{"int64":9223372036854775808}', '9223372036854775808'],
    ['{"uint64":18446744073709551616}', '18446744073709551616'],
    ['{"uint64":-1e20}', '-1e20'],
    ['{"int64":1.5}', '1.5'],
    ['{"int64":1.50}', '1.50'],
    ['{"int32":3e9}', '3e9'],
    ['{"int32":3000000000}', '3000000000'],
    ['{"uint32":-1}', '-1'],
    ['{"int64":1e999999999}', '1e999999999'],
    ['{"double":1e400}', '1e400'],
    ['{"float":1.0e39}', '1.0e39'],
    ['{"free":[1e400]}', '1e400'],
    ['{"text":12345678901234567890}', '12345678901234567890'],
    ['{"flag":1.0}', '1.0'],
    ['{"color":1e10}', '1e10'],
    ['{"wrappedUint64":18446744073709551616}', '18446744073709551616'],
    ['{"list":[1,9223372036854775808]}', '9223372036854775808'],
    ['{"at":12345678901234567890}', '12345678901234567890'],
  ])('that its field cannot hold is refused as it was written: %s', (text, number) => {
    const error = errorOf(() => sent(text))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(number)
  })

  it.each([
    ['{"list":[1,9223372036854775808]}', 'list item #2: 9223372036854775808: out of range, from'],
    ['{"list":[1.5]}', 'list item #1: 1.5: not an integer'],
    ['{"list":[1,-9.3e18]}', 'list item #2: -9.3e18: out of range, from'],
    [
      '{"values":{"1":1,"2":9223372036854775808}}',
      'map value of "2": 9223372036854775808: out of range, from',
    ],
    ['{"int64":1.5}', 'Numbers.int64 from JSON: 1.5: not an integer'],
    ['{"int32":1.5}', 'Numbers.int32 from JSON: 1.5: not an integer'],
    ['{"uint32":4294967296}', 'out of range, from 0 to 4294967295'],
    ['{"uint64":-1}', 'Numbers.uint64 from JSON: -1: out of range, from 0 to 18446744073709551615'],
  ])('that is refused in a list or map is named with its place: %s', (text, message) => {
    expect(errorOf(() => sent(text)).message).toContain(message)
  })

  it('for an unknown field is refused with the names of the existing fields', () => {
    const error = errorOf(() => sent('{"int46":9007199254740993}'))
    expect(error.message).toContain('key "int46" is unknown')
    expect(error.suggestions[0]).toBe('Did you mean int64?')
  })

  it('in deeply nested data is refused', () => {
    const text = `{"free":${'['.repeat(20_000)}1.0${']'.repeat(20_000)}}`
    expect(errorOf(() => sent(text)).code).toBe('USAGE')
  })
})
