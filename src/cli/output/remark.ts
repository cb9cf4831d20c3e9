import { isAsciiLocale } from '../terminal/ascii.js'
import { presented } from '../terminal/presented.js'
import { Progress } from './progress.js'

/** Writes a line for people to standard error, so that scripts do not find it in standard output. */
export function writeRemark(line: string): void {
  Progress.end()
  const { stderr } = process
  const columns = (stderr.isTTY && stderr.columns) || Number.POSITIVE_INFINITY
  stderr.write(`${presented(line, { isAscii: isAsciiLocale(process.env), columns })}\n`)
}
