import type { Command } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { didYouMean, nearestNames } from '../../domain/nearest.js'
import { isTopic } from '../help/topic-names.js'
import type { FlagDefinitions } from './words.js'

export const HELP: readonly string[] = ['--help', '-h']
export const VERSION: readonly string[] = ['--version', '-V']

/** Words that need no quotes in a shell. An @ is excluded: the part before it may be a password. */
const PLAIN = /^[\w.:,/[\]+%-]+$/

/**
 * The error for an unknown command. If only one command is near, it suggests the whole corrected line.
 *
 * @param behind the words that follow the command
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
 * The error for an unknown flag. Its value is omitted: it may be a secret.
 *
 * @param command null if none of the commands has such a flag
 */
export function unknownFlag(written: string, command: string | null, flags: FlagDefinitions): DiscoError {
  // Without a value, these flags do not reach this function.
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
