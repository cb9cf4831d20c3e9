import type { Command, Interfaces } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { HELP, unknownCommand, unknownFlag, VERSION } from './unknown.js'
import { type FlagDefinitions, readWords, splitCommand, wantsJson } from './words.js'

/** A command to run, with its arguments and flags. */
export interface CommandLine {
  readonly id: string
  readonly argv: string[]
}

/**
 * Finds the command on the command line. Flags may precede it. `-h` and `--help` before any `--` request help on the
 * rest; `-V` and `--version` before the command request the version of the tool.
 *
 * @throws DiscoError USAGE for an unknown command, or for flags without a command
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

/** Refuses `--version=x` before a command without that flag: there it is the tool's own, which takes no value. */
function refuseVersionValue(before: readonly string[]): void {
  if (!before.some((word) => word.startsWith('--version='))) return
  throw new DiscoError('USAGE', '--version takes no value', {
    suggestions: ['The version of disco: disco --version, or -V'],
  })
}

/** The command of that name or alias. */
export function commandNamed(name: string, config: Interfaces.Config): Command.Loadable | undefined {
  // oclif lists a command again under each alias.
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
 * The index of the command, or of `--version`; the number of words without either.
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

/** The flags of all commands: before the command is found, any of them may apply. */
function flagsOfAll({ commands }: Interfaces.Config): FlagDefinitions {
  return Object.assign({}, ...commands.map(({ flags }) => flags))
}

/** Runs the command on the command line. @throws DiscoError USAGE, and errors of the command */
export async function runCommandLine(argv: readonly string[], config: Interfaces.Config): Promise<void> {
  const { id, argv: own } = readCommandLine(argv, config)
  const command = config.findCommand(id, { must: true })
  await (await command.load()).run(own, config)
}
