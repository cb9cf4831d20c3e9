import { Flags } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { parsedBy } from './custom.js'

/** A file that a report of the calls is written to. */
export interface ReportTarget {
  readonly path: string
  readonly format: 'html' | 'xml'
}

export const reportFlag = Flags.custom<ReportTarget>({ parse: parsedBy(readReportTarget) })({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'FILE',
  description: 'also write a report: FILE.html is a page with charts, FILE.xml is JUnit; may be repeated',
})

/** @throws DiscoError USAGE for another extension */
function readReportTarget(path: string, flag: string): ReportTarget {
  const [, extension] = /[^/]\.(html|xml)$/i.exec(path) ?? []
  if (extension !== undefined) return { path, format: extension.toLowerCase() === 'xml' ? 'xml' : 'html' }
  throw new DiscoError('USAGE', `Unknown kind of report: ${flag} "${path}"`, {
    suggestions: ['Available: FILE.html (a page with charts), FILE.xml (JUnit, for CI systems)'],
  })
}
