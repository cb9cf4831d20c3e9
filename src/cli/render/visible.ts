/** C0 and C1 controls, DEL, and the marks that reorder text: what could drive a terminal or fake a line. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Text of the registry's, made harmless for a terminal: what cannot be seen is shown as its code. */
export function visible(text: string): string {
  return text.replace(CONTROLS, asCode)
}

/** JSON on one line, in which nothing drives a terminal either: JSON itself leaves DEL and C1 as they are. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(CONTROLS, asCode)
}

/** JSON for people: the same, indented. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(CONTROLS, (character) =>
    character === '\n' ? character : asCode(character),
  )
}

function asCode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
