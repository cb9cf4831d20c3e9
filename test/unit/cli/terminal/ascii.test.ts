import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isAsciiLocale, toAscii } from '../../../../src/cli/terminal/ascii.js'
import { presented } from '../../../../src/cli/terminal/wrap.js'

describe('the locale', () => {
  it.each([
    [{}, false],
    [{ LANG: '' }, false],
    [{ LANG: 'C' }, true],
    [{ LANG: 'POSIX' }, true],
    [{ LANG: 'en_US.ISO-8859-1' }, true],
    [{ LANG: 'C.UTF-8' }, false],
    [{ LANG: 'de_DE.utf8' }, false],
    [{ LC_CTYPE: 'UTF-8' }, false],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, false],
    [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, true],
    [{ LANG: 'C', LC_CTYPE: 'C', LC_ALL: 'en_US.UTF-8' }, false],
    [{ LANG: 'C.UTF-8', LC_CTYPE: '', LC_ALL: '' }, false],
    [{ LANG: 'C.UTF-8', LC_MESSAGES: 'C' }, false],
  ])('%j: ASCII %s', (env, isAscii) => {
    expect(isAsciiLocale(env)).toBe(isAscii)
  })
})

describe('an ASCII text', () => {
  it('has ASCII replacements for our symbols, and codes for other characters, as in JSON', () => {
    expect(toAscii('✓ hello weight 1 → 5 …bc07 – ● ◐ ✗ ██')).toBe('+ hello weight 1 -> 5 ...bc07 - * o x ##')
    expect(toAscii('hello · é 日本 😀')).toBe('hello - \\u00e9 \\u65e5\\u672c \\ud83d\\ude00')
    expect(toAscii('\u001b[31mred\u001b[39m\n')).toBe('\u001b[31mred\u001b[39m\n')
  })

  it('has a replacement for every character in the texts of the command line', () => {
    const folder = new URL('../../../../src/', import.meta.url)
    const files = ['cli', 'commands', 'doctor', 'agent', 'call', 'registry'].flatMap((part) =>
      readdirSync(new URL(part, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => new URL(`${part}/${file}`, folder)),
    )
    for (const file of files) {
      const text = readFileSync(file, 'utf8')
      for (const character of nonAsciiOf(text)) expect(toAscii(character)).not.toContain('\\u')
    }
  })
})

function nonAsciiOf(text: string): string[] {
  return text.match(/[^\u0000-\u007f]/gu) ?? []
}

it('a text for people is converted to ASCII before it is wrapped', () => {
  const text = `! ${'word… '.repeat(12)}`.trim()
  expect(presented(text, { isAscii: true, columns: 40 }).split('\n')).toEqual([
    '! word... word... word... word...',
    '  word... word... word... word...',
    '  word... word... word... word...',
  ])
  expect(presented(text, { isAscii: false, columns: Number.POSITIVE_INFINITY })).toBe(text)
})
