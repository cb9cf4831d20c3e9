import { markInTexts } from '../../domain/look-alike.js'

/** Colours stand directly before and after names. */
const COLOUR = /(\u001b\[[\d;]*m)/

/**
 * Marks look-alike names of a rendered report: those in the lines around its tables, which have marked theirs and are
 * laid out by then.
 */
export function markInReport(report: string): string {
  return markInTexts(report.split(COLOUR)).join('')
}
