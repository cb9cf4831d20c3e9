import { expect, it } from 'vitest'
import { parseExactJson } from '../../../src/domain/exact-json.js'
import { jsonTokens } from '../../../src/domain/json-tokens.js'
import { spliceJson } from '../../../src/domain/layouts/json-splice.js'

const MILLION = 1_000_000

it.each([
  ['{"a":[1,-2.5e3,true]}', ['{', '"a"', ':', '[', '1', ',', '-2.5e3', ',', 'true', ']', '}']],
  [' "\\"" , "\\\\" , "\\\\\\"," ', ['"\\""', ',', '"\\\\"', ',', '"\\\\\\","']],
  ['[ "" , "[1:2]" ]', ['[', '""', ',', '"[1:2]"', ']']],
])('the tokens of %s', (text, expected) => {
  const tokens = [...jsonTokens(text)]
  expect(tokens.map((token) => token.text)).toEqual(expected)
  for (const token of tokens) expect(text.startsWith(token.text, token.from)).toBe(true)
})

it.each([
  ['base64', Buffer.alloc(18 * MILLION, 'payload').toString('base64')],
  ['escapes', '\\"'.repeat(6 * MILLION)],
])('a string of 24 MB full of %s is one token', (_, content) => {
  const text = `{"data":${JSON.stringify(content)},"weight":1.0}`
  const parsed = parseExactJson(text) as { data: string }
  expect(parsed.data === content).toBe(true)
  const changed = Buffer.from(spliceJson(Buffer.from(text), ['weight'], '7'))
  expect(changed.equals(Buffer.from(text.replace(/1\.0}$/, '7}')))).toBe(true)
})
