import type { Command, Interfaces } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { HELP, unknownCommand, unknownFlag, VERSION } from './unknown.js'
import { type FlagDefinitions, readWords, splitCommand, wantsJson } from './words.js'

/** A command that is to run, with the words that are its own. */
export interface CommandLine {
  readonly id: string
  readonly argv: string[]
}

/**
 * Finds the command that the words name. Flags may stand before it. `-h` and `--help` before any `--` ask for help on
 * what the other words name; `-V` and `--version` before the command ask for the version of the tool.
 *
 * @throws DiscoError USAGE for a command that does not exist, or for flags without a command
 */
export function readCommandLine(argv: readonly string[], config: Interfaces.Config): CommandLine {
  const { own } = splitCommand(argv)
  if (own.some((word) => HELP.includes(word))) return helpOn(own, config)
  const at = commandAt(own, config)
  const name = own[at]
  if (name === undefined) {
    if (argv.length === 0) return { id: 'help', argv: [] }
    throw new DiscoError('USAGE', 'disco needs a command', {
      suggestions: ['Such as: disco ls', 'All commands: disco --help'],
    })
  }
  const words = [...argv.slice(0, at), ...argv.slice(at + 1)]
  if (VERSION.includes(name)) return { id: 'version', argv: words }
  const command = commandNamed(name, config)
  if (!command) throw unknownCommand(name, own.slice(at + 1), config.commands)
  if (!Object.hasOwn(command.flags, 'version')) refuseVersionValue(own.slice(0, at))
  return { id: command.id, argv: words }
}

/** `--version=x` before a command that has no such flag is meant as the one of the tool. */
function refuseVersionValue(before: readonly string[]): void {
  if (!before.some((word) => word.startsWith('--version='))) return
  throw new DiscoError('USAGE', '--version takes no value', {
    suggestions: ['The version of disco: disco --version, or -V'],
  })
}

/** The command of that name or alias. */
export function commandNamed(name: string, config: Interfaces.Config): Command.Loadable | undefined {
  // oclif lists a command once more under each alias.
  const commands = config.commands.filter(({ id, aliases }) => !aliases.includes(id))
  return commands.find(({ id, aliases }) => id === name || aliases.includes(name))
}

function helpOn(own: readonly string[], config: Interfaces.Config): CommandLine {
  const words = own.filter((word) => !HELP.includes(word))
  const [first, second] = [...readWords(words, flagsOfAll(config))].flatMap((word) =>
    word.kind === 'argument' ? [word.text] : [],
  )
  const json = wantsJson(own) ? ['--json'] : []
  if (first === undefined) return { id: 'help', argv: json }
  if (first === 'help' && second !== undefined) return { id: 'help', argv: [...json, second] }
  return { id: 'help', argv: [...json, '--command', first] }
}

/**
 * Where the command stands, or `--version`; behind the last word where there is neither.
 *
 * @throws DiscoError USAGE for a flag before it that no command has
 */
function commandAt(own: readonly string[], config: Interfaces.Config): number {
  const flags = flagsOfAll(config)
  let at = 0
  for (const word of readWords(own, flags)) {
    if (word.kind === 'argument' || VERSION.includes(own[at] ?? '')) break
    if (word.kind === 'unknown') throw unknownFlag(word.written, null, flags)
    at = word.end
  }
  return at
}

/** Which command a flag belongs to is not known before the command is. */
function flagsOfAll({ commands }: Interfaces.Config): FlagDefinitions {
  return Object.assign({}, ...commands.map(({ flags }) => flags))
}

/** Runs the command that the words name. @throws DiscoError USAGE, and what the command does not handle itself */
export async function runCommandLine(argv: readonly string[], config: Interfaces.Config): Promise<void> {
  const { id, argv: own } = readCommandLine(argv, config)
  const command = config.findCommand(id, { must: true })
  await (await command.load()).run(own, config)
}
