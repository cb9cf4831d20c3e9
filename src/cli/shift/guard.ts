import { Flags, type Interfaces } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import type { BaseFlags } from '../flags/base.js'
import { connectionWords } from '../flags/connection-words.js'
import { integerFlag, parsedBy, refuseEmpty, textFlag } from '../flags/custom.js'
import { isFromInput, readData, textsOf } from '../flags/request.js'

/** The guard by `disco call`: its method, and the flags that it is given as they are. */
export const guardFlags = {
  call: textFlag({ helpValue: 'METHOD', description: 'guard: calls of this method, by disco call' }),
  data: Flags.custom<GuardData>({ parse: parsedBy(guardData) })({
    char: 'd',
    helpValue: 'JSON',
    description: 'with --call: message of the calls',
  }),
  assert: textFlag({
    parse: parsedBy(guardAssertions),
    helpValue: "'errors<1%'",
    description: 'with --call: assertions on the calls',
  }),
  n: integerFlag({ char: 'n', min: 1, description: 'with --call: number of calls', default: 100 }),
}

/** The value of `--data`. */
export interface GuardData {
  /** As it was typed, for the command line of `disco call`. */
  readonly text: string
  /** The message, or the file that has it. */
  readonly data: string | NamedFile
}

type GuardFlags = Interfaces.InferredFlags<typeof guardFlags>

/** @throws DiscoError USAGE for standard input */
function guardData(text: string, flag: string): GuardData {
  const data = readData(refuseEmpty(text, flag), flag)
  if (!isFromInput({ data })) return { text, data }
  throw new DiscoError('USAGE', `A guard has no standard input: ${flag} takes JSON or @FILE`, {
    suggestions: ["Such as: -d '{}'"],
  })
}

/** @throws DiscoError USAGE */
async function guardAssertions(text: string, flag: string): Promise<string> {
  const { parseAssertions } = await import('../../stats/assertion.js')
  parseAssertions(refuseEmpty(text, flag), flag)
  return text
}

/**
 * Checks the program, or the messages of the calls, before the first step.
 *
 * @throws DiscoError USAGE
 */
export async function checkGuard([program]: readonly string[], { data }: GuardFlags): Promise<void> {
  if (program !== undefined) {
    const { requireProgram } = await import('../../agent/processes/child-process.js')
    await requireProgram(program)
  }
  if (data === undefined) return
  const { splitMessages } = await import('../../call/messages.js')
  splitMessages((await textsOf(data, false)).data)
}

/** The command line of a `disco call` process that uses the same etcd as this command. */
export function callCommand(service: string, method: string, flags: BaseFlags & GuardFlags): string[] {
  const [, tool = ''] = process.argv
  return [
    process.execPath,
    ...process.execArgv,
    tool,
    'call',
    service,
    method,
    '--n',
    String(flags.n),
    ...(flags.data === undefined ? [] : ['--data', flags.data.text]),
    ...(flags.assert === undefined ? [] : ['--assert', flags.assert]),
    ...connectionWords(flags, []),
  ]
}
