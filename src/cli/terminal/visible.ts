import { shownKey } from '../../domain/key-text.js'

/**
 * Characters that drive a terminal, fake a line or are invisible: controls, marks that reorder text, characters of no width
 * (joiners, variation selectors, fillers, tags), spaces that are not the space, and halves of characters.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/** Most text: looked for first, because properties of Unicode take longer and lists are long. */
const PLAIN = /^[ -~]*$/

/** Untrusted text, made harmless for a terminal: invisible characters are shown as their codes. */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : shownKey(text).replace(INVISIBLE, asCode)
}

/** JSON on one line, in which nothing drives a terminal either: JSON itself leaves DEL and C1 as they are. */
export function jsonLine(value: unknown): string {
  return stringify(value).replace(INVISIBLE, asCode)
}

/** JSON for people: the same, indented. */
export function prettyJson(value: unknown): string {
  return stringify(value, 2).replace(INVISIBLE, (character) =>
    character === '\n' ? character : asCode(character),
  )
}

/** Readers of JSON replace lone surrogates, each by the same character: keys that differ would be alike. */
function stringify(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent)
  if (!json.includes('\\ud')) return json
  const shown = (_: string, member: unknown) => (typeof member === 'string' ? shownKey(member) : member)
  return JSON.stringify(value, shown, indent)
}

/** As JSON escapes it, so that it is the same in a table and in a document: `\\u200b`. */
function asCode(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
