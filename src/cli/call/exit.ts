import { Flags } from '@oclif/core'
import type { CallReport } from '../../call/report.js'
import { assertsErrors } from '../../stats/assertion.js'
import type { Verdict } from '../../stats/verdict.js'
import { isSingleCall, type LoadFlags } from '../flags/load.js'
import type { CallDoc } from './document.js'

/** The exit code of a single failed call is 64 + its gRPC status. */
const EXIT_OF_STATUS = 64

/**
 * The exit code of runs. The first of these that applies: interrupted, the status of a single call, failed calls, a
 * failed assertion, a failed verdict.
 */
export function exitOfCalls(
  reports: readonly CallReport[],
  docs: readonly CallDoc[],
  flags: LoadFlags & { readonly strict: boolean },
): number {
  const [first] = reports
  if (reports.some(({ interrupted }) => interrupted)) return 130
  const isSingle = isSingleCall(flags) && reports.length === 1
  if (isSingle && first?.last?.statusCode) return EXIT_OF_STATUS + first.last.statusCode
  const assertions = docs.flatMap((doc) => doc.assertions)
  if (!assertsErrors(assertions) && reports.some(({ ok, calls }) => ok < calls)) return 7
  if (assertions.some(({ holds }) => !holds)) return 8
  if (isSingle) return 0
  const isPartial = reports.some(({ unserved, starts }) => unserved.length > 0 || starts.notStarted > 0)
  return flags.strict && isPartial
    ? 8
    : Math.max(...reports.map(({ verdict }) => exitOfVerdict(verdict, flags.strict)))
}

export const strictFlag = Flags.boolean({
  description:
    'exit 8 also if the verdict is INCONCLUSIVE, an endpoint with a share is not served, or due calls were not started',
})

/** The exit code of a verdict alone. */
export function exitOfVerdict({ result }: Verdict, strict: boolean): 0 | 8 {
  return result === 'fail' || (strict && result === 'inconclusive') ? 8 : 0
}
