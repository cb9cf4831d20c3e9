import { describe, expect, it } from 'vitest'
import { rawMember, spliceJson } from '../../../../src/domain/layouts/json-splice.js'

function spliced(json: string, number = 7): string {
  return Buffer.from(spliceJson(Buffer.from(json), ['weight'], String(number))).toString()
}

describe('spliceJson', () => {
  it.each([
    ['the number', '{"name":"a","weight":10,"x":1}', '{"name":"a","weight":7,"x":1}'],
    ['the first member', '{"weight":10,"x":1}', '{"weight":7,"x":1}'],
    ['the last member', '{"x":1,"weight":10}', '{"x":1,"weight":7}'],
    ['a number with fraction and exponent', '{"weight":-1.5e+3}', '{"weight":7}'],
    [
      'a string, null or bool in its place',
      '{"weight":"10","weight":null,"weight":true}',
      '{"weight":7,"weight":7,"weight":7}',
    ],
    ['all duplicates, for readers differ', '{"weight":1,"a":2,"weight":30}', '{"weight":7,"a":2,"weight":7}'],
    ['an escaped member name', '{"we\\u0069ght":1}', '{"we\\u0069ght":7}'],
    ['amid white space', '{ "weight" :\n\t1 , "a" : 2 }\n', '{ "weight" :\n\t7 , "a" : 2 }\n'],
    ['what stands after the object', '{"weight":1}{"weight":1}"', '{"weight":7}{"weight":1}"'],
  ])('changes nothing but %s', (_, json, expected) => {
    expect(spliced(json)).toBe(expected)
  })

  it.each([
    ['of a nested object', '{"meta":{"weight":1},"weight":2}', '{"meta":{"weight":1},"weight":7}'],
    [
      'in an array',
      '{"all":[{"weight":1},"weight",1],"weight":2}',
      '{"all":[{"weight":1},"weight",1],"weight":7}',
    ],
    ['as a value', '{"kind":"weight","weight":2}', '{"kind":"weight","weight":7}'],
    [
      'inside a string',
      '{"s":"\\",\\"weight\\":1,{[","weight":2}',
      '{"s":"\\",\\"weight\\":1,{[","weight":7}',
    ],
    ['of a longer name', '{"weights":1,"weight":2}', '{"weights":1,"weight":7}'],
    ['of another case', '{"Weight":1,"weight":2}', '{"Weight":1,"weight":7}'],
  ])('leaves a weight alone %s', (_, json, expected) => {
    expect(spliced(json)).toBe(expected)
  })

  it.each([
    ['{"a":1}', '{"a":1,"weight":7}'],
    ['{}', '{"weight":7}'],
    ['{ }', '{ "weight":7}'],
    ['{"a":{}}tail', '{"a":{},"weight":7}tail'],
    ['{"a":[]}', '{"a":[],"weight":7}'],
  ])('adds the missing members to %s', (json, expected) => {
    expect(spliced(json)).toBe(expected)
  })

  it('keeps bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"name":"'),
      Buffer.from([0xff, 0xa0, 0x80, 0xc3]),
      Buffer.from('","weight":1}'),
      Buffer.from([0x00, 0xfe]),
    ])
    const expected = Buffer.from(bytes.toString('latin1').replace('"weight":1', '"weight":42'), 'latin1')
    expect(Buffer.from(spliceJson(bytes, ['weight'], '42'))).toEqual(expected)
  })

  it('does not modify its input bytes', () => {
    const bytes = Buffer.from('{"weight":1}')
    spliceJson(bytes, ['weight'], '99')
    expect(bytes.toString()).toBe('{"weight":1}')
  })

  it('refuses a value that is not an object', () => {
    expect(() => spliced('')).toThrow('needs a JSON object')
    expect(() => spliced('{"weight":1')).toThrow('needs a JSON object')
  })

  it.each([
    [
      'in its object',
      '{"id":"a","metadata":{"zone":"b","weight":"1"},"weight":1}',
      '{"id":"a","metadata":{"zone":"b","weight":"7"},"weight":1}',
    ],
    ['added to its object', '{"metadata":{"zone":"b"}}', '{"metadata":{"zone":"b","weight":"7"}}'],
    ['added to an empty object', '{"metadata":{ }}', '{"metadata":{ "weight":"7"}}'],
    ['with its object for null', '{"metadata":null,"x":[1]}', '{"metadata":{"weight":"7"},"x":[1]}'],
    ['with its object for a list', '{"metadata":[{"weight":"1"}]}', '{"metadata":{"weight":"7"}}'],
    ['with its object where there is none', '{"x":1}\n', '{"x":1,"metadata":{"weight":"7"}}\n'],
    ['for an object', '{"metadata":{"weight":{"a":[1,{}]}},"y":2}', '{"metadata":{"weight":"7"},"y":2}'],
    [
      'in every object of that name',
      '{"metadata":{},"metadata":{"weight":1}}',
      '{"metadata":{"weight":"7"},"metadata":{"weight":"7"}}',
    ],
  ])('sets a member of a member, %s', (_, json, expected) => {
    expect(Buffer.from(spliceJson(Buffer.from(json), ['metadata', 'weight'], '"7"')).toString()).toBe(
      expected,
    )
  })
})

describe('rawMember', () => {
  it.each([
    ['{"a":1,"weight":"5"}', '"5"'],
    ['{"weight": [1, {"b":2}] }', '[1, {"b":2}]'],
    ['{"weight":1,"weight":2.50}', '2.50'],
    ['{"a":{"weight":1}}', null],
  ])('of %s is %s', (json, raw) => {
    expect(rawMember(Buffer.from(json), 'weight')).toBe(raw)
  })
})
