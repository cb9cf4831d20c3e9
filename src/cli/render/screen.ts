import stringWidth from 'string-width'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

export interface Size {
  readonly columns: number
  readonly rows: number
}

export const enterScreen = ENTER
export const leaveScreen = LEAVE

/** A terminal that does not tell its size says 0, and what is no terminal says nothing. */
export function sizeOf({ columns, rows }: Partial<Size>): Size {
  return { columns: columns || 80, rows: rows || 24 }
}

/** A table of which a screen may show a part. */
export interface ScreenTable {
  /** Its first lines, as many as a screen could show or more. */
  readonly lines: readonly string[]
  /** How many there are besides. */
  readonly hidden: number
}

/** What a terminal with so many rows shows of a table, with room for a log; says how much it leaves out. */
export function cropTable({ lines, hidden }: ScreenTable, rows: number): readonly string[] {
  if (hidden === 0 && lines.length <= rows - 3) return lines
  const shown = lines.slice(0, Math.max(0, rows - 4))
  return [...shown, `… ${lines.length + hidden - shown.length} more`]
}

/** A whole frame: the table on top, as much of the log's end below as the terminal has room for. */
export function frame(table: ScreenTable, log: readonly string[], { columns, rows }: Size): string {
  const shown = cropTable(table, rows)
  const room = Math.max(0, rows - shown.length - 1)
  const lines = [...shown, '', ...(room === 0 ? [] : log.slice(-room))].slice(0, rows)
  return HOME + lines.map((line) => cutTo(line, columns) + CLEAR_LINE).join('\r\n') + CLEAR_BELOW
}

const ANSI = /\u001b\[[0-9;]*m/g
const graphemes = new Intl.Segmenter()

/** The line cut to the terminal's width; colours are kept, and wide characters count twice. */
function cutTo(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line
  let room = columns - 1
  let fitted = ''
  let rest = 0
  for (const match of [...line.matchAll(ANSI), { 0: '', index: line.length }]) {
    for (const { segment } of graphemes.segment(line.slice(rest, match.index))) {
      room -= stringWidth(segment)
      if (room >= 0) fitted += segment
    }
    fitted += match[0]
    rest = match.index + match[0].length
  }
  return `${fitted}…`
}
