import { describe, expect, it } from 'vitest'
import { jsonLine, prettyJson, prettyJsonLines, visible } from '../../../../src/cli/terminal/visible.js'

/** Every character that drives a terminal, breaks a line, or reorders what is read. */
const HARMFUL = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, at) => 0x7f + at),
  0x61c,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  0x202a,
  0x202b,
  0x202c,
  0x202d,
  0x202e,
  0x2066,
  0x2067,
  0x2068,
  0x2069,
  // No width: soft hyphen, joiners, fillers, variation selectors, byte order mark, annotations.
  0xad,
  0x34f,
  0x115f,
  0x1160,
  0x17b4,
  0x180b,
  0x180e,
  0x200b,
  0x200c,
  0x200d,
  0x2060,
  0x2063,
  0x206f,
  0x3164,
  0xfe00,
  0xfe0f,
  0xfeff,
  0xffa0,
  0xfff9,
  0xfffb,
  // Spaces of other kinds, and a Braille pattern without dots.
  0xa0,
  0x1680,
  0x2000,
  0x2009,
  0x202f,
  0x205f,
  0x3000,
  0x2800,
].map((code) => String.fromCharCode(code))

describe('visible', () => {
  it.each([
    ['a colour', '\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a window title', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
    ['a cleared screen by C1', '\u009b2J', '\\u009b2J'],
    ['a faked line', 'a\r\nb\u0085c\u2028d', 'a\\u000d\\u000ab\\u0085c\\u2028d'],
    ['reordered text', 'abc\u202etxt.exe\u2066', 'abc\\u202etxt.exe\\u2066'],
    ['a backspace and DEL', 'a\b\u007f', 'a\\u0008\\u007f'],
  ])('shows %s as codes', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  it('shows each harmful character as its code, alone and among others', () => {
    for (const character of HARMFUL) {
      const code = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
      expect(visible(`a${character}${character}b`)).toBe(`a${code}${code}b`)
    }
  })

  it('shows characters outside the basic plane, and lone surrogates, as surrogate codes', () => {
    expect(visible('a\u{e0001}\u{1d173}b')).toBe('a\\udb40\\udc01\\ud834\\udd73b')
    expect(visible('a\ud800b\udc00')).toBe('a\\ud800b\\udc00')
    expect(JSON.parse(jsonLine('a\u{e0001}'))).toBe('a\u{e0001}')
  })

  it('leaves text of any language unchanged', () => {
    const text = 'hello grün 日本 العربية עברית 🚀 e\u0301 \\u001b "quoted"'
    expect(visible(text)).toBe(text)
  })
})

describe('JSON', () => {
  const data = { [`k${HARMFUL.join('')}`]: [HARMFUL.join(''), { deep: 'a\n\u009bb' }], n: 1 }

  it('on one line contains no terminal control sequence, and is parsed back unchanged', () => {
    const line = jsonLine(data)
    for (const character of HARMFUL) expect(line).not.toContain(character)
    expect(JSON.parse(line)).toEqual(data)
  })

  it('for people has only its own line breaks, and is parsed back unchanged', () => {
    const pretty = prettyJson(data)
    for (const character of HARMFUL) if (character !== '\n') expect(pretty).not.toContain(character)
    expect(JSON.parse(pretty)).toEqual(data)
    expect(prettyJson({ a: ['\n'] }).split('\n')).toHaveLength(5)
  })

  it.each([0, 1, 199, 200, 201, 400, 1_000])(
    'for people is the same as one text and as lines: a list of %i',
    (length) => {
      const list = Array.from({ length }, (_, at) =>
        at % 3 === 0 ? null : { at, [HARMFUL.join('')]: ['\n[\n', {}] },
      )
      const documents = [
        { list },
        { a: { list }, list, none: undefined, c: [] },
        list,
        {},
        { list, d: 'x\ny' },
      ]
      for (const document of documents) {
        expect([...prettyJsonLines(document)].join('\n')).toBe(prettyJson(document))
      }
    },
  )
})
