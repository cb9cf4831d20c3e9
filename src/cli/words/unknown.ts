import type { Command } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { didYouMean, nearestNames } from '../../domain/nearest.js'
import { isTopic } from '../help/topic-names.js'
import type { FlagDefinitions } from './words.js'

export const HELP: readonly string[] = ['--help', '-h']
export const VERSION: readonly string[] = ['--version', '-V']

/** Words that need no quotes in a shell and have no @, before which a password may stand. */
const PLAIN = /^[\w.:,/[\]+%-]+$/

/**
 * The error for a command that does not exist; where only one is near, with the whole line as it may have been meant.
 *
 * @param behind the words behind it
 */
export function unknownCommand(
  name: string,
  behind: readonly string[],
  commands: readonly Pick<Command.Loadable, 'id' | 'aliases'>[],
): DiscoError {
  const nearest = nearestNames(
    name,
    commands.map(({ id }) => id),
  )
  const ids = new Set(
    nearest.map((near) => commands.find(({ aliases }) => aliases.includes(near))?.id ?? near),
  )
  return new DiscoError('USAGE', `disco has no command "${name}"`, {
    suggestions: [isTopic(name) ? `A topic of the help: disco help ${name}` : hintOf([...ids], behind)],
  })
}

function hintOf(nearest: readonly string[], behind: readonly string[]): string {
  const [only, another] = nearest
  if (only === undefined) return 'All commands: disco --help'
  const hint = `Did you mean ${nearest.join(' or ')}?`
  const flag = behind.findIndex((word) => word.startsWith('-'))
  const args = behind.slice(0, flag < 0 ? undefined : flag)
  if (another !== undefined || args.length === 0 || !args.every((word) => PLAIN.test(word))) return hint
  return `${hint} Try: disco ${[only, ...args].join(' ')}${flag < 0 ? '' : ' …'}`
}

/**
 * The error for a flag that does not exist. Its value is left out: it may be a secret.
 *
 * @param command null where none of the commands has such a flag
 */
export function unknownFlag(written: string, command: string | null, flags: FlagDefinitions): DiscoError {
  // Without a value, these have been understood before.
  if (HELP.includes(written) || (command === null && VERSION.includes(written))) {
    return new DiscoError('USAGE', `${written} takes no value`)
  }
  const known = Object.entries(flags).flatMap(([name, { allowNo }]) =>
    allowNo ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  )
  const [tool, help] =
    command === null
      ? ['disco', 'Flags: disco COMMAND --help']
      : [`disco ${command}`, `Its flags: disco ${command} --help`]
  if (VERSION.includes(written)) {
    return new DiscoError('USAGE', `${tool} has no flag ${written}`, {
      suggestions: ['The version of disco: disco --version, or -V', help],
    })
  }
  const near = didYouMean(written, known)
  return new DiscoError('USAGE', `${tool} has no flag ${written}`, {
    suggestions: near.length > 0 ? near : [help],
  })
}
