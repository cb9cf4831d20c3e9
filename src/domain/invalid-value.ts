import { withoutSecrets } from './address.js'
import { DiscoError } from './errors.js'

/** @param source the flag, argument or environment variable that contains the text */
export function invalidValue(
  source: string,
  text: string,
  expected: string,
  suggestions: readonly string[] = [],
): DiscoError {
  const message = `Invalid ${source} "${withoutSecrets(text)}": expected ${expected}`
  return new DiscoError('USAGE', message, { suggestions })
}
