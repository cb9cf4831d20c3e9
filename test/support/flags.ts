import { type Interfaces, Parser } from '@oclif/core'
import { FlagProblem } from '../../src/cli/flags/custom.js'
import type { DiscoError } from '../../src/domain/errors.js'

/** The values of flags as parsed by oclif. */
export async function flagValues<Values extends Interfaces.OutputFlags<Interfaces.FlagInput>>(
  flags: Interfaces.FlagInput<Values>,
  ...argv: string[]
): Promise<Values> {
  return (await Parser.parse(argv, { flags })).flags as Values
}

/** The error with which a flag refuses its value. Another error fails the test. */
export async function flagError(flags: Interfaces.FlagInput, ...argv: string[]): Promise<DiscoError> {
  try {
    await flagValues(flags, ...argv)
  } catch (thrown) {
    if (thrown instanceof FlagProblem) return thrown.error
    throw thrown
  }
  throw new Error(`${argv.join(' ')} was accepted`)
}
