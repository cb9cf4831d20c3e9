import { Errors } from '@oclif/core'
import { systemMessage } from '../domain/system-message.js'
import type { LineOutput } from './output/line-output.js'
import { writeRemark } from './output/remark.js'
import { standardOutput } from './output/standard-output.js'
import { reportError } from './report-error.js'

/** After this time the process ends, even if connections or timers are still open. */
const GRACE_MS = 500

/**
 * Runs the command of this process, and ends the process when its output is written.
 *
 * @param run finds and runs the command
 */
export async function main(run: (argv: string[]) => Promise<unknown>): Promise<void> {
  const output = standardOutput()
  // A remark that cannot be written does not make the command fail.
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
 * Ends the process even if a backend never closes its connection, or a library keeps a timer. The delay lets the event
 * loop end by itself, after pending writes to files.
 */
async function end(output: LineOutput): Promise<void> {
  await output.flushed()
  if (output.failure) {
    writeRemark(`✗ Cannot write to standard output: ${systemMessage(output.failure)}`)
    process.exitCode ||= 1
  }
  setTimeout(() => process.exit(), GRACE_MS).unref()
}
