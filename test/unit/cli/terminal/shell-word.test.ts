import { expect, it } from 'vitest'
import { shellWord } from '../../../../src/cli/terminal/visible.js'

it.each([
  ['10.0.0.5:1', '10.0.0.5:1'],
  ['/hello/a b', "'/hello/a b'"],
  ['weight>0', "'weight>0'"],
  ['[::1]:80', "'[::1]:80'"],
  ["it's", "'it'\\''s'"],
  ['', "''"],
])('%j is copied to a shell as %s', (word, shown) => {
  expect(shellWord(word)).toBe(shown)
})
