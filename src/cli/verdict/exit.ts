import { Flags } from '@oclif/core'
import type { Verdict } from '../../stats/verdict.js'

export const strictFlag = Flags.boolean({
  description:
    'exit 8 also where the verdict is INCONCLUSIVE, an endpoint with a share is not served, or calls that were due were not started',
})

/** What a verdict alone ends a command with. */
export function exitOfVerdict({ result }: Verdict, strict: boolean): 0 | 8 {
  return result === 'fail' || (strict && result === 'inconclusive') ? 8 : 0
}
