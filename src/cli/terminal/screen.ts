import { disableBracketedPaste, enableBracketedPaste } from './keys.js'
import { textWidth } from './text-width.js'
import { take } from './wrap.js'

const ALTERNATE = '\u001b[?1049h'
const MAIN = '\u001b[?1049l'
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
/** Terminals differ in the width of some characters. A line that is too wide is cut, so that it does not wrap. */
const CUT_LONG_LINES = '\u001b[?7l'
const WRAP_LONG_LINES = '\u001b[?7h'
const HOME = '\u001b[H'
const CLEAR_TO_END = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

export interface Size {
  readonly columns: number
  readonly rows: number
}

export const enterScreen = ALTERNATE + HIDE_CURSOR + CUT_LONG_LINES + enableBracketedPaste
export const leaveScreen = disableBracketedPaste + WRAP_LONG_LINES + SHOW_CURSOR + MAIN

/** The size of a terminal; 80 by 24 for a terminal that reports 0, and for streams without a size. */
export function sizeOf({ columns, rows }: Partial<Size>): Size {
  return { columns: columns || 80, rows: rows || 24 }
}

/** A table that a screen may show in part. */
export interface ScreenTable {
  /** The first lines of the table, at least as many as a screen could show. */
  readonly lines: readonly string[]
  /** The number of further lines. */
  readonly hidden: number
}

/** Content of a screen, from top to bottom. */
export interface Screen {
  readonly title: string
  readonly table: ScreenTable
  /** The legend of the table's glyphs; left out if the terminal has too few rows. */
  readonly legend: string
  /** One event per line, the newest last. */
  readonly log: readonly string[]
}

/** The table cropped to `rows`; its last row then counts the hidden lines. */
export function cropTable({ lines, hidden }: ScreenTable, rows: number, ellipsis = '…'): readonly string[] {
  if (hidden === 0 && lines.length <= rows) return lines
  const shown = lines.slice(0, Math.max(0, rows - 1))
  return [...shown, `${ellipsis} ${lines.length + hidden - shown.length} more`]
}

/** The number of rows of a frame besides its table: a title, a legend and two lines of the log. */
export const ROWS_BESIDES_TABLE = 4

/**
 * A whole frame: title, table, legend, and the end of the log in the remaining rows. A line of the log is wrapped to at
 * most `MAX_ROWS` rows. All other lines are cut to the terminal's width.
 */
export function frame(
  { title, table, legend, log }: Screen,
  { columns, rows }: Size,
  ellipsis = '…',
): string {
  const top = [title, ...cropTable(table, Math.max(1, rows - ROWS_BESIDES_TABLE), ellipsis), legend].slice(
    0,
    rows,
  )
  const lines = [
    ...top.map((line) => cutTo(line, columns, ellipsis)),
    ...logWithin(log, rows - top.length, columns, ellipsis),
  ]
  // Each line is cleared before its text: after a line of full width, xterm would clear the last character.
  const cleared = lines.map((line) => CLEAR_TO_END + line)
  return HOME + cleared.join('\r\n') + (lines.length < rows ? `\r\n${CLEAR_BELOW}` : '')
}

/** The newest lines of a log, wrapped. A line that alone needs more rows keeps its beginning, which names the event. */
function logWithin(log: readonly string[], rows: number, columns: number, ellipsis: string): string[] {
  const shown: string[] = []
  for (const line of log.toReversed()) {
    const room = rows - shown.length
    if (room <= 0) break
    const wrapped = wrap(line, columns, ellipsis)
    if (wrapped.length > room && shown.length > 0) break
    shown.unshift(...wrapped.slice(0, room))
  }
  return shown
}

/** The line cut to a width; colours are kept, and wide characters count twice. */
export function cutTo(line: string, columns: number, ellipsis = '…'): string {
  if (textWidth(line) <= columns) return line
  return take(line, columns - ellipsis.length).taken + ellipsis
}

/** The indent of a line's continuation. */
const INDENT = '    '
/** The maximum number of rows for a line of the log: a value may be as long as etcd allows. */
const MAX_ROWS = 4

/** The line in rows of a width; colours continue from row to row. */
function wrap(line: string, columns: number, ellipsis: string): string[] {
  const rows: string[] = []
  const indent = columns > 2 * INDENT.length ? INDENT : ''
  for (let rest = line; textWidth(rest) > 0 || rows.length === 0; ) {
    const before = rows.length === 0 ? '' : indent
    const room = columns - before.length
    if (rows.length === MAX_ROWS - 1) {
      rows.push(before + cutTo(rest, room, ellipsis))
      break
    }
    const { taken, left } = takeWords(rest, room)
    // The next character is wider than the terminal.
    if (left === rest) break
    rows.push(before + taken)
    rest = left
  }
  return rows
}

/** Like `take`, but ends between words if there is a space in the second half. */
function takeWords(line: string, columns: number): { readonly taken: string; readonly left: string } {
  const whole = take(line, columns)
  const space = whole.taken.lastIndexOf(' ')
  const isBetween = SPACES_BEFORE.test(whole.left)
  const isInWord = textWidth(whole.left) > 0 && !isBetween && space >= whole.taken.length / 2
  const { taken, left } = isInWord ? take(line, textWidth(whole.taken.slice(0, space))) : whole
  return { taken, left: left.replace(SPACES_BEFORE, '$1') }
}

const SPACES_BEFORE = /^((?:\u001b\[[0-9;]*m)*) +/
