import { DiscoError } from '../domain/errors.js'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** @throws DiscoError USAGE, with where the text stops being JSON */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new DiscoError('USAGE', `The data is not JSON: ${(cause as Error).message}`, {
      cause,
      suggestions: [`Example: -d '{"name":"abc"}'`],
    })
  }
}
