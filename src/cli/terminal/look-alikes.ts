import { markInTexts } from '../../domain/look-alike.js'

/** Colours stand directly before and after names. */
const COLOUR = /(\u001b\[[\d;]*m)/

/** Marks look-alike names in the lines around a report's tables; the tables have marked their own before layout. */
export function markInReport(report: string): string {
  return markInTexts(report.split(COLOUR)).join('')
}
