import { Errors } from '@oclif/core'
import { systemMessage } from '../domain/system-message.js'
import type { LineOutput } from './output/line-output.js'
import { standardOutput } from './output/standard-output.js'
import { reportError } from './report-error.js'

/** Time for leftovers of a command, such as a closing connection, to end by themselves. */
const GRACE_MS = 500

/**
 * Runs the command that the process was started with, and ends the process when its output is written.
 *
 * @param run finds and runs the command that the words name
 */
export async function main(run: (argv: string[]) => Promise<unknown>): Promise<void> {
  const output = standardOutput()
  // Remarks stand beside the work: a command does not fail because they cannot be written.
  process.stderr.on('error', () => undefined)
  const argv = process.argv.slice(2)
  try {
    await run(argv)
  } catch (error) {
    if (error instanceof Errors.ExitError) process.exitCode = error.oclif.exit
    else reportError(error, argv)
  }
  await end(output)
}

/**
 * A backend that never closes its connection, or a timer of a library, must not keep the process. The event loop
 * may come to its end by itself first: only then have files that are being written been closed.
 */
async function end(output: LineOutput): Promise<void> {
  await output.flushed()
  if (output.failure) {
    process.stderr.write(`✗ Cannot write to standard output: ${systemMessage(output.failure)}\n`)
    process.exitCode ||= 1
  }
  setTimeout(() => process.exit(), GRACE_MS).unref()
}
