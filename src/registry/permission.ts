import { DiscoError } from '../domain/errors.js'
import { AUTO, type Reader } from '../domain/layouts/reader.js'

/** Not a wrong password: a user whose roles do not cover the keys. */
export function isForbidden(error: unknown): boolean {
  return error instanceof DiscoError && error.reason === 'permission'
}

/** A role for another prefix helps only whoever names it. */
export function explainForbidden(error: unknown, reader: Reader): unknown {
  if (reader.layout !== AUTO || !(error instanceof DiscoError) || !isForbidden(error)) return error
  const suggestions = [...error.suggestions, 'Or name the layout that it covers, such as --layout kratos']
  return new DiscoError(error.code, error.message, { cause: error, suggestions, reason: 'permission' })
}

/** What is only asked for a better suggestion may be forbidden: then there is none. */
export async function unlessForbidden<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (isForbidden(error)) return null
    throw error
  }
}
