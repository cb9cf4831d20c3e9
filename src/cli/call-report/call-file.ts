import type { CallReport } from '../../call/report.js'
import type { DiscoError } from '../../domain/errors.js'
import type { CallDoc } from '../call/document.js'
import type { CheckedBy } from './checks.js'

/** The command that made the runs, for the head of a report. */
export interface RunFacts {
  /** The service as written on the command line. */
  readonly service: string
  readonly method: string
  /** The command line, without secrets. */
  readonly command: string
  /** The version of disco. */
  readonly version: string
  readonly startedAt: Date
}

/** Content of a report file: a run for each policy, and the error that prevented or ended the runs. */
export interface CallOutcome {
  readonly runs: readonly { readonly report: CallReport; readonly doc: CallDoc }[]
  readonly checkedBy: CheckedBy
  /** Null if all runs were completed, or the user interrupted them. */
  readonly failure: DiscoError | null
  /** The policies without a result: the run of the first one failed, so the others were not begun. */
  readonly without: readonly string[]
}
