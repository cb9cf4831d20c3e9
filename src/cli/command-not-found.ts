import type { Hook } from '@oclif/core'
import { DiscoError } from '../domain/errors.js'
import { nearestNames } from '../domain/nearest.js'
import { reportError } from './report-error.js'

/** oclif's own word for an unknown command has neither the nearest names nor our exit code. */
const hook: Hook.CommandNotFound = async ({ id, argv, config }) => {
  const nearest = nearestNames(id, config.commandIDs)
  const hint = nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}?` : 'All commands: disco --help'
  const message = `disco has no command "${id.replaceAll(':', ' ')}"`
  const error = new DiscoError('USAGE', message, { suggestions: [hint] })
  reportError(error, argv ?? [])
}

export default hook
