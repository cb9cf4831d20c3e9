import { DiscoError } from '../domain/errors.js'
import { type ExactJson, parseExactJson } from '../domain/exact-json.js'

const EXAMPLE = `-d '{"name":"abc"}'`

/**
 * Numbers keep every digit.
 *
 * @param what subject of the error
 * @param example of such a text, for the error
 * @throws DiscoError USAGE, with the position at which the text stops being JSON
 */
export function parseJson(text: string, what = 'The data', example = EXAMPLE): ExactJson {
  try {
    return parseExactJson(text)
  } catch (cause) {
    throw notJson(what, cause, example)
  }
}

/**
 * The messages of a text: the whole text is one JSON message, over any number of lines, or each line is one.
 *
 * @throws DiscoError USAGE, with the line and position at which it stops being JSON
 */
export function splitMessages(text: string): readonly string[] {
  const lines = text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [{ line, number: at + 1 }]))
  if (lines.length === 0) return []
  try {
    JSON.parse(text)
    return [text]
  } catch (cause) {
    if (lines.length === 1) throw notJson('The data', cause)
  }
  for (const { line, number } of lines) {
    try {
      JSON.parse(line)
    } catch (cause) {
      throw notJson(`Line ${number} of the data`, cause)
    }
  }
  return lines.map(({ line }) => line)
}

/** @throws the cause itself unless it is about the text */
function notJson(what: string, cause: unknown, example = EXAMPLE): DiscoError {
  if (!(cause instanceof SyntaxError)) throw cause
  return new DiscoError('USAGE', `${what} is not JSON: ${cause.message}`, {
    cause,
    suggestions: [`Example: ${example}`],
  })
}
