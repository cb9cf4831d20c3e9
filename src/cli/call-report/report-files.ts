import { constants } from 'node:fs'
import { access, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'
import type { ReportTarget } from '../flags/report.js'
import { shellWord, visible } from '../terminal/visible.js'
import type { CallOutcome, RunFacts } from './call-file.js'

/** The files of `--report`. */
export class ReportFiles {
  private constructor(
    private readonly targets: readonly ReportTarget[],
    private readonly facts: RunFacts,
  ) {}

  /**
   * Checks that the files can be written, before the calls begin.
   *
   * @throws DiscoError USAGE for a folder that does not exist or cannot be written, and for a file named twice
   */
  static async open(targets: readonly ReportTarget[], facts: RunFacts): Promise<ReportFiles> {
    const paths = targets.map(({ path }) => resolve(path))
    const twice = targets.find((_, at) => paths.indexOf(paths[at] ?? '') < at)
    if (twice) throw new DiscoError('USAGE', `--report names ${twice.path} twice`)
    for (const { path } of targets) await requireWritable(path)
    return new ReportFiles(targets, facts)
  }

  /**
   * Writes all files. An existing file is replaced by a rename, so that no reader sees an incomplete one.
   *
   * @param print receives a line for each file: that it was written, or why it cannot be written
   * @returns whether all files were written
   */
  async write(outcome: CallOutcome, print: (line: string) => void): Promise<boolean> {
    let isWritten = true
    for (const { path, format } of this.targets) {
      try {
        await replaceFile(path, await this.render(format, outcome))
        print(`  Report: ${visible(path)}`)
      } catch (error) {
        isWritten = false
        print(`✗ The report ${visible(path)} cannot be written: ${visible(systemMessage(error))}`)
      }
    }
    return isWritten
  }

  private async render(format: ReportTarget['format'], outcome: CallOutcome): Promise<string> {
    if (format === 'xml') return (await import('./junit.js')).renderJUnit(this.facts, outcome)
    return (await import('./page.js')).renderPage(this.facts, outcome)
  }
}

async function requireWritable(path: string): Promise<void> {
  const folder = dirname(path)
  const refuse = (what: string, suggestions: string[], cause?: unknown) =>
    new DiscoError('USAGE', `The report ${path} cannot be written: ${what}`, { suggestions, cause })
  const kind = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw refuse(systemMessage(cause), [], cause)
    throw refuse(`the folder ${folder} does not exist`, [`Create it: mkdir -p ${shellWord(folder)}`], cause)
  })
  if (!kind.isDirectory()) throw refuse(`${folder} is not a folder`, [])
  await access(folder, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw refuse(`the folder ${folder}: ${systemMessage(cause)}`, [], cause)
  })
  // Usually ENOENT: a new file. Any other error is reported when the file is written.
  const existing = await stat(path).catch(() => null)
  if (existing && !existing.isFile()) throw refuse('it exists and is not a file', [])
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    // An earlier process with the same id may have been killed before its rename.
    await rm(temporary, { force: true })
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    // The error of the write is reported, not that of the clean-up.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}
