import { asCode } from './visible.js'

/**
 * Whether the locale has another character set than UTF-8, by the precedence of POSIX (Base Definitions, 8.2). Where no
 * locale is set, as in most containers, terminals are UTF-8 all the same: systemd decides alike.
 */
export function isAsciiLocale({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8'
  return !/utf-?8/i.test(locale)
}

/** The characters of our own texts: marks of states, arrows, bars and punctuation. */
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
 * The text in ASCII: our own characters by their like, others by their codes. It may become longer: a table is
 * converted before its columns are laid out.
 */
export function toAscii(text: string): string {
  return ASCII.test(text) ? text : text.replace(OTHERS, (character) => FORMS[character] ?? asCode(character))
}
