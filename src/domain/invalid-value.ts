import { DiscoError } from './errors.js'

/**
 * @param source the flag, argument or environment variable that contains the text
 * @param text as messages may show it: an address or URL without its secrets
 */
export function invalidValue(
  source: string,
  text: string,
  expected: string,
  suggestions: readonly string[] = [],
): DiscoError {
  const message = `Invalid ${source} "${text}": expected ${expected}`
  return new DiscoError('USAGE', message, { suggestions })
}
