import { Errors } from '@oclif/core'
import { errorDoc } from '../domain/documents.js'
import { DiscoError } from '../domain/errors.js'
import { markInError } from '../domain/look-alike.js'
import { writeRemark } from './output/remark.js'
import { standardOutput } from './output/standard-output.js'
import { paletteFor } from './terminal/color.js'
import { prettyJson, visible } from './terminal/visible.js'
import { splitCommand, wantsJson } from './words/words.js'

/** Prints the error of a command, and sets the exit code. @param argv unparsed, because parsing may have failed */
export function reportError(thrown: unknown, argv: readonly string[]): void {
  const { own } = splitCommand(argv)
  const error = toDiscoError(thrown)
  process.exitCode = error.exit
  if (own.includes('--debug')) process.stderr.write(`${stackOf(error)}\n`)
  if (wantsJson(argv)) {
    standardOutput().writeLine(prettyJson(errorDoc(error)))
    return
  }
  const palette = paletteFor(process.stderr, !own.includes('--no-color'), process.env)
  const [message = '', ...suggestions] = markInError([error.message, ...error.suggestions])
  writeRemark(`${palette.red('✗')} ${visible(message)}`)
  for (const suggestion of suggestions) writeRemark(`  ${visible(suggestion)}`)
}

function toDiscoError(thrown: unknown): DiscoError {
  // A last resort: usageError() translates the errors of oclif's parser if the command is known.
  if (thrown instanceof Errors.CLIError) {
    return new DiscoError('USAGE', 'disco cannot read this command line', {
      cause: thrown,
      suggestions: ['Help: disco --help'],
    })
  }
  return DiscoError.from(thrown)
}

function stackOf(error: DiscoError): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${error.cause.stack}` : ''
  return `${error.stack}${cause}`
}
