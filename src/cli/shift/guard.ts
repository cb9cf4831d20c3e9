import { DiscoError } from '../../domain/errors.js'
import type { BaseFlags } from '../flags/base.js'
import { connectionWords } from '../flags/connection-words.js'
import { isFromInput, textsOf } from '../flags/request.js'

interface GuardFlags {
  readonly call?: string | undefined
  readonly data?: string | undefined
  readonly assert?: string | undefined
}

/**
 * Checks the program, the assertions and the data of a guard before the first step.
 *
 * @throws DiscoError USAGE
 */
export async function checkGuard(
  [program]: readonly string[],
  { call, data, assert }: GuardFlags,
): Promise<void> {
  if (program !== undefined) {
    const { requireProgram } = await import('../../agent/processes/child-process.js')
    await requireProgram(program)
  }
  if (call === undefined) return
  if (assert !== undefined) {
    const { parseAssertions } = await import('../../stats/assertion.js')
    parseAssertions(assert, '--assert')
  }
  if (data === undefined) return
  if (isFromInput({ data })) {
    throw new DiscoError('USAGE', 'A guard has no standard input: --data takes JSON or @FILE', {
      suggestions: ["Such as: -d '{}'"],
    })
  }
  const { splitMessages } = await import('../../call/messages.js')
  splitMessages((await textsOf({ data, header: [] }, false)).data)
}

/** The command line of a `disco call` process that uses the same etcd as this command. */
export function callCommand(
  service: string,
  method: string,
  flags: BaseFlags & GuardFlags & { readonly n: number },
): string[] {
  const [, tool = ''] = process.argv
  return [
    ...[process.execPath, ...process.execArgv, tool, 'call', service, method, '--n', String(flags.n)],
    ...(flags.data === undefined ? [] : ['--data', flags.data]),
    ...(flags.assert === undefined ? [] : ['--assert', flags.assert]),
    ...connectionWords(flags, []),
  ]
}
