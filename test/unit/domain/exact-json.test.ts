import { afterEach, describe, expect, it, vi } from 'vitest'
import { ExactNumber, firstLossy, parseExactJson, writeJson } from '../../../src/domain/exact-json.js'

describe('JSON with numbers that a double cannot represent', () => {
  it.each([
    '18446744073709551615',
    '[-1859648232592957566,1e400,-0,1.10,1E5]',
    '{"a":{"b":[9007199254740993,{"c":1.0}]},"__proto__":9007199254740993,"d":"9007199254740993"}',
    '{"1":9007199254740993,"":[[]],"\\"x\\\\":12345678901234567890}',
  ])('is written as it was read: %s', (text) => {
    expect(writeJson(parseExactJson(text))).toBe(text)
  })

  it('equals JSON.parse if doubles are exact', () => {
    const text = ' {"a" : [1, -2.5, true, null, "1e5 [\\"{", {}], "b": 9007199254740991, "c": 0.5} '
    expect(parseExactJson(text)).toEqual(JSON.parse(text))
  })

  it('may be deeply nested', () => {
    const depth = 50_000
    const text = `${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`
    let value = parseExactJson(text)
    while (Array.isArray(value)) value = value[0]
    expect(value).toEqual(new ExactNumber('9007199254740993'))
  })

  it('throws the errors of JSON.parse', () => {
    expect(() => parseExactJson('{"a":12345678901234567890,}')).toThrow(SyntaxError)
  })
})

it.each([
  ['{"a":[9007199254740993]}', '9007199254740993'],
  ['{"a":1e999}', '1e999'],
  ['{"a":1.50,"b":1e3,"c":0.1,"d":18446744073709551616}', undefined],
])('the first number of %s that a double changes is %s', (text, number) => {
  expect(firstLossy(parseExactJson(text))?.text).toBe(number)
})

describe('slower parsing by tokens', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  function isReadOnce(text: string): boolean {
    const parse = vi.spyOn(JSON, 'parse')
    parseExactJson(text)
    return parse.mock.calls.length === 1
  }

  it.each([
    '{"name":"hello","addr":"10.20.30.40:1001","version":"1.0.0","weight":5,"metadata":{"zone":"b"}}',
    '["1.5","-0","12345678901234567890","1e5"]',
    '[0,-1,900719925474099]',
  ])('is not needed for %s', (text) => {
    expect(isReadOnce(text)).toBe(true)
  })

  it.each(['1.0', '-0', '[1e5]', '[1, -1E5]', '{"a":12345678901234567890}', '{"a": 1.50}', '[1,\n-0.0]'])(
    'is needed for %s',
    (text) => {
      expect(isReadOnce(text)).toBe(false)
    },
  )
})
