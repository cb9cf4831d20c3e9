import { asCode } from './visible.js'

/**
 * Whether the locale has another character set than UTF-8, by the precedence of POSIX (Base Definitions, 8.2). An unset
 * locale, as in most containers, counts as UTF-8, as in systemd.
 */
export function isAsciiLocale({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8'
  return !/utf-?8/i.test(locale)
}

/** ASCII replacements for the characters in texts of disco: glyphs of states, arrows, bars and punctuation. */
const FORMS: Readonly<Record<string, string>> = {
  '●': '*',
  '◐': 'o',
  '✗': 'x',
  '✓': '+',
  '→': '->',
  '↑': '^',
  '↓': 'v',
  '↻': '@',
  '█': '#',
  '·': '-',
  '…': '...',
  '–': '-',
  '—': '-',
  '−': '-',
  '’': "'",
  µ: 'u',
}

const ASCII = /^[\u0000-\u007f]*$/
const OTHERS = /[^\u0000-\u007f]/gu

/**
 * The text in ASCII: characters of disco as similar ones, all others as codes. The result may be longer, so a table is
 * converted before its columns are laid out.
 */
export function toAscii(text: string): string {
  return ASCII.test(text) ? text : text.replace(OTHERS, (character) => FORMS[character] ?? asCode(character))
}
