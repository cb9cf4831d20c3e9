import { isAsciiLocale } from '../terminal/ascii.js'
import { presented } from '../terminal/wrap.js'
import { Progress } from './progress.js'

/** Writes a line for people to standard error, so that scripts do not find it in standard output. */
export function writeRemark(line: string): void {
  Progress.end()
  process.stderr.write(`${presentedOnStderr(line)}\n`)
}

/** A text for people in the characters and the width of standard error. */
export function presentedOnStderr(text: string): string {
  const { isTTY, columns } = process.stderr
  const width = (isTTY && columns) || Number.POSITIVE_INFINITY
  return presented(text, { isAscii: isAsciiLocale(process.env), columns: width })
}
