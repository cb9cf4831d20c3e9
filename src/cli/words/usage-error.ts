import { type Command, Errors, type Interfaces } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { FlagProblem } from '../flags/custom.js'
import { unknownFlag } from './unknown.js'

/** The part of a command that its usage errors mention. */
type CommandParts = Pick<Command.Class, 'args' | 'baseFlags' | 'examples' | 'flags' | 'id'>

/** The parser's state in errors of oclif's parser. */
interface ParserState {
  readonly input: {
    readonly args: Interfaces.ArgInput
    readonly flags: Interfaces.FlagInput
  }
  readonly output: Pick<
    Interfaces.ParserOutput<Record<string, unknown>, Record<string, unknown>, Record<string, unknown>>,
    'args' | 'argv' | 'flags' | 'nonExistentFlags'
  >
}

/**
 * Translates an error of oclif's parser, from its fields and not its message: the input is checked again, in the
 * parser's order. Other values are returned unchanged.
 */
export function usageError(thrown: unknown, command: CommandParts): unknown {
  if (thrown instanceof FlagProblem) return thrown.error
  const parsed = parsedIn(thrown)
  if (parsed === null) return thrown
  return (
    wrongFlag(parsed, command) ??
    tooManyArguments(parsed, command) ??
    missing(parsed, command) ??
    excluded(parsed) ??
    new DiscoError('USAGE', `disco ${command.id} cannot be run with these arguments and flags`, {
      cause: thrown,
      suggestions: [`Its help: disco ${command.id} --help`],
    })
  )
}

function parsedIn(thrown: unknown): ParserState | null {
  if (!(thrown instanceof Errors.CLIError)) return null
  const { parse } = thrown as { parse?: Partial<ParserState> }
  return parse?.input && parse.output ? (parse as ParserState) : null
}

function wrongFlag({ input, output }: ParserState, { id }: CommandParts): DiscoError | null {
  const [first] = output.nonExistentFlags
  if (first === undefined) return null
  const end = first.startsWith('--') ? first.indexOf('=') : 2
  return unknownFlag(end < 0 ? first : first.slice(0, end), id, input.flags)
}

function tooManyArguments({ input, output }: ParserState, { id }: CommandParts): DiscoError | null {
  const most = Object.keys(input.args).length
  const extra = output.argv[most]
  if (extra === undefined || Object.values(input.args).some(({ multiple }) => multiple)) return null
  const takes = most === 0 ? 'no argument' : most === 1 ? 'one argument' : `${most} arguments`
  const names = Object.entries(input.args).map(([name, { required }]) => argumentName(name, required))
  return new DiscoError(
    'USAGE',
    `disco ${id} takes ${takes}: "${extra}"${most === 0 ? '' : ' is too many'}`,
    {
      suggestions: most === 0 ? [] : [`Usage: disco ${[id, ...names].join(' ')}`],
    },
  )
}

function missing({ input, output }: ParserState, command: CommandParts): DiscoError | null {
  const args = Object.entries(input.args).filter(([name, { required }]) => required && !(name in output.args))
  const flags = Object.entries(input.flags).filter(
    ([name, { required }]) => required && !(name in output.flags),
  )
  const names = [...args.map(([name]) => argumentName(name, true)), ...flags.map(([name]) => `--${name}`)]
  if (names.length === 0) return null
  return new DiscoError('USAGE', `disco ${command.id} needs ${names.join(' and ')}`, {
    suggestions: [`Such as: ${exampleOf(command)}`],
  })
}

/** The error for mutually exclusive flags; each of them names the others. */
function excluded({ input, output }: ParserState): DiscoError | null {
  for (const [name, { exclusive = [] }] of Object.entries(input.flags)) {
    const other = exclusive.find((flag) => typeof flag === 'string' && flag in output.flags)
    if (name in output.flags && typeof other === 'string') {
      return new DiscoError('USAGE', `--${other} and --${name} exclude each other`)
    }
  }
  return null
}

function argumentName(name: string, required: boolean | undefined): string {
  return required ? name.toUpperCase() : `[${name.toUpperCase()}]`
}

function exampleOf({ examples, id }: CommandParts): string {
  const [first] = examples ?? []
  return typeof first === 'string' ? first.replace('<%= config.bin %>', 'disco') : `disco ${id}`
}
