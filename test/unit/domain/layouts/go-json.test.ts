import { expect, it } from 'vitest'
import { goJson } from '../../../../src/domain/layouts/go-json.js'

// The right-hand sides are what Go's json.Marshal writes for the same strings.
it.each([
  ['<a href="x">&</a>', String.raw`"\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e"`],
  ['line\u2028and\u2029paragraph', String.raw`"line\u2028and\u2029paragraph"`],
  ['grün 日本 🚀', '"grün 日本 🚀"'],
  ['tab\tnewline\nquote"backslash\\', String.raw`"tab\tnewline\nquote\"backslash\\"`],
  ['bell\u0007', String.raw`"bell\u0007"`],
])('writes %j as Go does', (text, json) => {
  expect(goJson(text)).toBe(json)
})

it('writes objects compactly and in the given order, and escapes member names too', () => {
  expect(goJson({ b: 1, a: { 'x<y': ['&'] } })).toBe(String.raw`{"b":1,"a":{"x\u003cy":["\u0026"]}}`)
})
