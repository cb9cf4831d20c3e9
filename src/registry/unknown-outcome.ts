import { DiscoError } from '../domain/errors.js'

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
  const why = error.cause instanceof DiscoError ? [error.cause.message, ...error.cause.suggestions] : []
  return new DiscoError('OUTCOME_UNKNOWN', `${what}: etcd's answer was lost`, {
    cause: error.cause,
    suggestions: [...next, ...why],
  })
}
