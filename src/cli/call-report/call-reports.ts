import type { CallReport } from '../../call/report.js'
import { DiscoError } from '../../domain/errors.js'
import type { CallDoc } from '../call/document.js'
import type { ReportTarget } from '../flags/report.js'
import type { FlagDefinitions } from '../words/words.js'
import type { CallOutcome } from './call-file.js'
import type { CheckedBy } from './checks.js'
import { commandText } from './command-text.js'
import { ReportFiles } from './report-files.js'

/** The command whose runs are reported. */
interface ReportedCommand {
  readonly id: string
  readonly argv: readonly string[]
  readonly flags: FlagDefinitions
  readonly service: string
  readonly method: string
  readonly version: string
}

/** Writes the report files of a command: the results of its runs, or the error that ended them. */
export class CallReports {
  private constructor(
    private readonly files: ReportFiles,
    private readonly print: (line: string) => void,
  ) {}

  /**
   * @param print receives a line for each file: that it was written, or why it cannot be written
   * @throws DiscoError USAGE for a file that cannot be written
   */
  static async open(
    targets: readonly ReportTarget[],
    { id, argv, flags, ...named }: ReportedCommand,
    print: (line: string) => void,
  ): Promise<CallReports> {
    const facts = { ...named, command: commandText(id, argv, flags), startedAt: new Date() }
    return new CallReports(await ReportFiles.open(targets, facts), print)
  }

  /** @returns whether all files were written */
  async finished(
    reports: readonly CallReport[],
    docs: readonly CallDoc[],
    checkedBy: CheckedBy,
  ): Promise<boolean> {
    const outcome = { runs: runsOf(reports, docs), checkedBy, failure: null, without: [] }
    return await this.files.write(outcome, this.print)
  }

  /**
   * Writes the error, and the runs that were completed before it.
   *
   * @param without the policies without a result: the run of the first one failed, so the others were not begun
   */
  async failed(
    thrown: unknown,
    without: readonly string[],
    reports: readonly CallReport[],
    docs: readonly CallDoc[],
    checkedBy: CheckedBy,
  ): Promise<void> {
    const failure = DiscoError.from(thrown)
    await this.files.write({ runs: runsOf(reports, docs), checkedBy, failure, without }, this.print)
  }
}

function runsOf(reports: readonly CallReport[], docs: readonly CallDoc[]): CallOutcome['runs'] {
  return reports.flatMap((report, at) => {
    const doc = docs[at]
    return doc ? [{ report, doc }] : []
  })
}
