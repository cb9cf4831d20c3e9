/** A bracket, comma or colon, a number or literal as a whole, or the opening quote of a string. */
const START = /["{}[\],:]|[^\s{}[\],:"]+/g

export interface JsonToken {
  /** The token's JSON text; strings include their quotes. */
  readonly text: string
  /** Index of the token's first character. */
  readonly from: number
}

/**
 * The tokens of a JSON text, one by one, without white space. Strings are not matched by a regular expression: it
 * would keep a backtracking position for each escape, and a string of 24 MB would make V8 throw a RangeError.
 *
 * @param text valid JSON up to the last token that is read
 */
export function* jsonTokens(text: string): Generator<JsonToken, void, undefined> {
  const start = new RegExp(START)
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    const from = match.index
    if (match[0] === '"') start.lastIndex = endOfString(text, from)
    yield { text: text.slice(from, start.lastIndex), from }
  }
}

/** The index after the closing quote. @param from index of the opening quote */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1)
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote === -1 ? text.length : quote + 1
}

/** Whether a backslash escapes the quote: an odd number of them precedes it, since two are an escaped backslash. */
function isEscaped(text: string, quote: number): boolean {
  let from = quote
  while (text[from - 1] === '\\') from--
  return (quote - from) % 2 === 1
}
