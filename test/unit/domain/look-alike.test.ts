import { describe, expect, it } from 'vitest'
import { markInLog, markInTexts, markLookAlikes } from '../../../src/domain/look-alike.js'

function shown(...names: string[]): string[] {
  return names.map(markLookAlikes(names))
}

describe('names that look the same', () => {
  it.each([
    ['a Cyrillic letter', ['hello', 'h\u0435llo'], ['hello', 'h\\u0435llo']],
    [
      'a Greek letter',
      ['user', 'us\u0435r', 'order', '\u03bfrder'],
      ['user', 'us\\u0435r', 'order', '\\u03bfrder'],
    ],
    [
      'a letter and its accent, in one and in two',
      ['caf\u00e9', 'cafe\u0301'],
      ['caf\\u00e9', 'cafe\\u0301'],
    ],
    ['letters of full width', ['pay', '\uff50ay'], ['pay', '\\uff50ay']],
    ['another hyphen', ['a-b', 'a\u2010b'], ['a-b', 'a\\u2010b']],
    [
      'only one of three',
      ['hello', 'h\u0435llo', '\u043c\u0438\u0440'],
      ['hello', 'h\\u0435llo', '\u043c\u0438\u0440'],
    ],
  ])('are distinguished: %s', (_, names, expected) => {
    expect(shown(...names)).toEqual(expected)
  })

  it('are unchanged if no other name looks the same', () => {
    const names = [
      'hello',
      '\u043c\u0438\u0440',
      'gr\u00fcn',
      '\u65e5\u672c',
      'cafe',
      'caf\u00e9',
      'h\u0435llo2',
    ]
    expect(shown(...names)).toEqual(names)
    expect(shown('l1', 'll', 'O0')).toEqual(['l1', 'll', 'O0'])
  })
})

describe('names in a log, which cannot be changed later', () => {
  const log = (...names: string[]) => names.map(markInLog())

  it('marks a name at once if it looks like an ASCII name', () => {
    expect(log('h\u0435llo', 'hello', 'h\u0435llo')).toEqual(['h\\u0435llo', 'hello', 'h\\u0435llo'])
  })

  it('marks other look-alike names from the second name on', () => {
    expect(log('caf\u00e9', '\u043c\u0438\u0440', 'cafe\u0301', 'caf\u00e9')).toEqual([
      'caf\u00e9',
      '\u043c\u0438\u0440',
      'cafe\\u0301',
      'caf\\u00e9',
    ])
  })
})

describe('names in texts that are shown together', () => {
  it('marks a name if another one looks the same, and nothing else', () => {
    const texts = [
      'Unknown policy "r\u0430ndom" \u2013 caf\u00e9',
      'Did you mean random? \u2192 Available: \u2026',
    ]
    expect(markInTexts(texts)).toEqual([
      'Unknown policy "r\\u0430ndom" \u2013 caf\u00e9',
      'Did you mean random? \u2192 Available: \u2026',
    ])
  })
})
