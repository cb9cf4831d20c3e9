import type { CallReport } from '../../call/report.js'
import type { DiscoError } from '../../domain/errors.js'
import type { CallDoc } from '../call/document.js'
import type { CheckedBy } from './checks.js'

/** The run command, for the head of a report. */
export interface RunFacts {
  /** The service, as the command names it. */
  readonly service: string
  readonly method: string
  /** Without secrets. */
  readonly command: string
  /** Of disco. */
  readonly version: string
  readonly startedAt: Date
}

/** What a report file shows: the runs, one for each policy, or the error that prevented or ended them. */
export interface CallOutcome {
  readonly runs: readonly { readonly report: CallReport; readonly doc: CallDoc }[]
  readonly checkedBy: CheckedBy
  /** Null if the calls came to their end, or were interrupted. */
  readonly failure: DiscoError | null
  /** The policies without a run: the first one failed, the others were not begun. */
  readonly without: readonly string[]
}
