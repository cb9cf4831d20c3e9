import type { Hook } from '@oclif/core'
import { DiscoError } from '../domain/errors.js'
import { nearestNames } from '../domain/nearest.js'

/**
 * The error for an unknown command, with the nearest names. oclif's own has neither those nor our exit code.
 *
 * @param id the words of the command, joined by colons
 */
export function unknownCommand(id: string, commandIds: readonly string[]): DiscoError {
  const nearest = nearestNames(id, commandIds)
  const hint = nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}?` : 'All commands: disco --help'
  return new DiscoError('USAGE', `disco has no command "${id.replaceAll(':', ' ')}"`, { suggestions: [hint] })
}

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  throw unknownCommand(id, config.commandIDs)
}

export default hook
