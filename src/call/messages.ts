import { DiscoError } from '../domain/errors.js'
import { type ExactJson, parseExactJson } from '../domain/exact-json.js'

const EXAMPLE = `-d '{"name":"abc"}'`

/**
 * Parses JSON. Numbers keep every digit.
 *
 * @param what the subject of the error's message
 * @param example an example of valid text, for the error's suggestion
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
 * Splits a text into JSON messages: the whole text if it is one JSON value, else each line.
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

/** @throws the cause, if it is not a SyntaxError */
function notJson(what: string, cause: unknown, example = EXAMPLE): DiscoError {
  if (!(cause instanceof SyntaxError)) throw cause
  return new DiscoError('USAGE', `${what} is not JSON: ${cause.message}`, {
    cause,
    suggestions: [`Example: ${example}`],
  })
}
