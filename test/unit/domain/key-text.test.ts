import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUtf8Key, keyBytes, keyText, shownKey } from '../../../src/domain/key-text.js'

test('any bytes survive a round trip through their text, and only UTF-8 is shown as UTF-8', () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.string({ unit: 'binary' }).map(Buffer.from))
  fc.assert(
    fc.property(bytes, (key) => {
      const text = keyText(key)
      expect(keyBytes(text)).toEqual(Buffer.from(key))
      expect(isUtf8Key(text)).toBe(Buffer.from(Buffer.from(key).toString()).equals(key))
    }),
  )
})

test.each([
  ['ff', '\\xff'],
  ['61ff62', 'a\\xffb'],
  ['e282ac', '€'],
  ['e282', '\\xe2\\x82'],
  ['f09f9880', '😀'],
  ['f09f98', '\\xf0\\x9f\\x98'],
  ['eda080', '\\xed\\xa0\\x80'],
  ['c080', '\\xc0\\x80'],
  ['f4908080', '\\xf4\\x90\\x80\\x80'],
  ['efbfbd', '\ufffd'],
])('%s is shown as %s', (hex, shown) => {
  expect(shownKey(keyText(Buffer.from(hex, 'hex')))).toBe(shown)
})
