import type { CallReport } from '../../call/report.js'
import { DiscoError } from '../../domain/errors.js'
import type { CallDoc } from '../call/document.js'
import type { ReportTarget } from '../flags/report.js'
import type { FlagDefinitions } from '../words/words.js'
import type { CheckedBy } from './checks.js'
import { commandText } from './command-text.js'
import { ReportFiles } from './report-files.js'

/** The command of which reports are written. */
interface ReportedCommand {
  readonly id: string
  readonly argv: readonly string[]
  readonly flags: FlagDefinitions
  readonly service: string
  readonly method: string
  readonly version: string
}

/** Writes the reports of a run: with its results, or with the error that ended it. */
export class CallReports {
  private constructor(
    private readonly files: ReportFiles,
    private readonly say: (line: string) => void,
  ) {}

  /**
   * @param say receives a line for each file that is written, or cannot be
   * @throws DiscoError USAGE for a file that cannot be written
   */
  static async open(
    targets: readonly ReportTarget[],
    { id, argv, flags, ...named }: ReportedCommand,
    say: (line: string) => void,
  ): Promise<CallReports> {
    const facts = { ...named, command: commandText(id, argv, flags), startedAt: new Date() }
    return new CallReports(await ReportFiles.open(targets, facts), say)
  }

  /** @returns whether all files were written */
  async finished(
    reports: readonly CallReport[],
    docs: readonly CallDoc[],
    checkedBy: CheckedBy,
  ): Promise<boolean> {
    const runs = reports.flatMap((report, at) => {
      const doc = docs[at]
      return doc ? [{ report, doc }] : []
    })
    return await this.files.write({ runs, checkedBy, failure: null }, this.say)
  }

  async failed(thrown: unknown): Promise<void> {
    const checkedBy = { isSingle: false, strict: false, replyProblem: null }
    await this.files.write({ runs: [], checkedBy, failure: DiscoError.from(thrown) }, this.say)
  }
}
