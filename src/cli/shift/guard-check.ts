import { DiscoError } from '../../domain/errors.js'
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
