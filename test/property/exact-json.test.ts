import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ExactNumber, parseExactJson, writeJson } from '../../src/domain/exact-json.js'

/** Numbers that a double represents exactly and prints in their JSON spelling. */
const exact = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
)

/** Strings, some of which look like numbers. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('10.20.30.40:1001', 'a:1.5', ', -0', '"[1e5'),
)

const value = fc.anything({
  key: text,
  values: [exact, text, fc.boolean(), fc.constant(null)],
  maxDepth: 3,
})

it('exact numbers are read as by JSON.parse, even beside an inexact number', () => {
  fc.assert(
    fc.property(value, fc.constantFrom('', ' ', '\n', '\t'), (written, indent) => {
      const json = JSON.stringify(written, null, indent)
      const parsed: unknown = JSON.parse(json)
      expect(parseExactJson(json)).toStrictEqual(parsed)
      expect(parseExactJson(`[${json},1.0]`)).toStrictEqual([parsed, new ExactNumber('1.0')])
    }),
  )
})

it('every number keeps its spelling, at any position', () => {
  const number = fc.stringMatching(/^-?(?:0|[1-9]\d{0,20})(?:\.\d{1,5})?(?:[eE][+-]?\d{1,3})?$/)
  const space = fc.constantFrom('', ' ', '\n', '\r\n', '\t ')
  const around = fc.constantFrom(['', ''], ['[', ']'], ['["1.5",', ',1]'], ['{"a":', '}'], ['[{"a":[', ']}]'])
  fc.assert(
    fc.property(number, space, around, (digits, blank, [before, after]) => {
      const json = `${before}${blank}${digits}${blank}${after}`
      expect(writeJson(parseExactJson(json))).toBe(`${before}${digits}${after}`)
    }),
  )
})
