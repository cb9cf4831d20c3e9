import type { Hook } from '@oclif/core'
import { nearestNames } from '../domain/nearest.js'

/** oclif's own word for an unknown command has neither the nearest names nor our exit code. */
const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const nearest = nearestNames(id, config.commandIDs)
  const hint = nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}?` : 'All commands: disco --help'
  process.stderr.write(`✗ disco has no command "${id.replaceAll(':', ' ')}"\n  ${hint}\n`)
  process.exitCode = 2
}

export default hook
