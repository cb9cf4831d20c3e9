import type { Interfaces } from '@oclif/core'
import { readCommandLine } from './command-line.js'

/** Runs the command that the words name. @throws DiscoError USAGE, and what the command does not handle itself */
export async function runCommandLine(argv: readonly string[], config: Interfaces.Config): Promise<void> {
  const { id, argv: own } = readCommandLine(argv, config)
  const command = config.findCommand(id, { must: true })
  await (await command.load()).run(own, config)
}
