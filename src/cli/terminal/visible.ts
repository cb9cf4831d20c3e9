import { shownKey } from '../../domain/key-text.js'
import { markInTexts } from '../../domain/look-alike.js'

/**
 * Characters that control a terminal, imitate a line or are invisible: controls, marks that reorder text, characters
 * of no width (joiners, variation selectors, fillers, tags), spaces other than U+0020, and lone surrogates.
 */
export const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/** Matches most texts. It is tested first, because a test of Unicode properties takes longer. */
const PLAIN = /^[ -~]*$/

/** Untrusted text, made safe for a terminal: invisible characters are shown as their codes. */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : shownKey(text).replace(INVISIBLE, asCode)
}

/**
 * Matches most JSON, which then needs no replacement. A replacement takes 30 MB for the document of 10,000 endpoints,
 * since each line break is a match.
 */
const PLAIN_JSON = /^[ -~\n]*$/

/** JSON on one line, safe for a terminal: JSON itself does not escape DEL and C1. */
export function jsonLine(value: unknown): string {
  const json = stringify(value)
  return PLAIN_JSON.test(json) ? json : json.replace(INVISIBLE, asCode)
}

/** Indented JSON, safe for a terminal. */
export function prettyJson(value: unknown): string {
  const json = stringify(value, 2)
  if (PLAIN_JSON.test(json)) return json
  return json.replace(INVISIBLE, (character) => (character === '\n' ? character : asCode(character)))
}

/** Number of elements of a long list that are formatted at a time. */
const ELEMENTS_AT_ONCE = 200

/**
 * The lines of `prettyJson(document)`, in parts. The whole text of a document of 10,000 endpoints takes 4 MB, and
 * several copies of it would exist while it is created and written.
 */
export function* prettyJsonLines(document: object): Generator<string> {
  const members = Object.entries(document).filter(([, member]) => member !== undefined)
  if (Array.isArray(document) || members.length === 0) {
    yield prettyJson(document)
    return
  }
  yield '{'
  for (const [at, [name, member]] of members.entries()) {
    const key = `  ${prettyJson(name)}: `
    const comma = at < members.length - 1 ? ',' : ''
    if (Array.isArray(member) && member.length > ELEMENTS_AT_ONCE) {
      yield `${key}[`
      yield* elementLines(member)
      yield `  ]${comma}`
    } else yield `${key}${prettyJson(member).replaceAll('\n', '\n  ')}${comma}`
  }
  yield '}'
}

function* elementLines(list: readonly unknown[]): Generator<string> {
  for (let from = 0; from < list.length; from += ELEMENTS_AT_ONCE) {
    const elements = prettyJson(list.slice(from, from + ELEMENTS_AT_ONCE))
    const comma = from + ELEMENTS_AT_ONCE < list.length ? ',' : ''
    // Without the brackets; line breaks within strings are escaped, so every line break begins a line.
    yield `${elements.slice('[\n'.length, -'\n]'.length).replaceAll(/^/gm, '  ')}${comma}`
  }
}

/**
 * JSON with lone surrogates as codes. Readers replace each lone surrogate by U+FFFD, which would make different keys
 * equal.
 */
export function stringify(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent)
  if (!json.includes('\\ud')) return json
  const shown = (_: string, member: unknown) => (typeof member === 'string' ? shownKey(member) : member)
  return JSON.stringify(value, shown, indent)
}

/** The code of a character as an escape of JSON, such as `\\u200b`: tables and documents show the same. */
export function asCode(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}

/** A colour code. Texts are split at these, because they directly precede and follow names. */
const COLOUR = /(\u001b\[[\d;]*m)/

/**
 * Marks look-alike names in the lines around the tables of a report. Tables mark the names in their cells themselves.
 */
export function markInReport(report: string): string {
  return markInTexts(report.split(COLOUR)).join('')
}

export { shellWord } from '../../domain/shell-word.js'
