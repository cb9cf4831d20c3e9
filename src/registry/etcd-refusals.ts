import { DiscoError } from '../domain/errors.js'
import { AUTO, type Reader } from '../domain/layouts/reader.js'
import { unknownBecause } from '../etcd/write-outcome.js'

/** Whether etcd refused because the user's roles do not cover the keys, not because of a wrong password. */
export function isForbidden(error: unknown): boolean {
  return error instanceof DiscoError && error.reason === 'permission'
}

/** With the layout `auto`, adds a suggestion: a user whose role covers the prefix of one layout must name that layout. */
export function explainForbidden(error: unknown, reader: Reader): unknown {
  if (reader.layout !== AUTO || !(error instanceof DiscoError) || !isForbidden(error)) return error
  const suggestions = [...error.suggestions, 'Or name the layout that it covers, such as --layout kratos']
  return new DiscoError(error.code, error.message, { cause: error, suggestions, reason: 'permission' })
}

/** The result of a read that only improves a suggestion; null if etcd forbids it. */
export async function unlessForbidden<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (isForbidden(error)) return null
    throw error
  }
}

/** Whether etcd may have carried out the write that failed. */
export function isUnknown(error: unknown): error is DiscoError {
  return error instanceof DiscoError && error.code === 'OUTCOME_UNKNOWN'
}

/**
 * Rewords an OUTCOME_UNKNOWN error in terms of the registry; returns any other error unchanged.
 *
 * @param what the possible change, as the beginning of a sentence
 * @param next the next steps, one line each
 */
export function explainUnknown(error: unknown, what: string, ...next: string[]): unknown {
  if (!isUnknown(error)) return error
  if (error.cause instanceof DiscoError) return unknownBecause(error.cause, what, next)
  return new DiscoError('OUTCOME_UNKNOWN', `${what}: etcd's answer was lost`, {
    cause: error.cause,
    suggestions: next,
  })
}
