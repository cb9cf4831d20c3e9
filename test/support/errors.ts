import { DiscoError } from '../../src/domain/errors.js'

/** The DiscoError that `action` throws. Fails if it throws another error, or none. */
export function errorOf(action: () => unknown): DiscoError {
  try {
    action()
  } catch (thrown) {
    if (thrown instanceof DiscoError) return thrown
    throw new Error(`threw what is no DiscoError: ${thrown}`, { cause: thrown })
  }
  throw new Error('nothing was thrown')
}
