import Table from 'cli-table3'
import { markInCells } from '../../domain/look-alike.js'
import { unknownColumn } from '../flags/listing.js'
import { toAscii } from './ascii.js'
import type { Palette } from './color.js'
import { fitColumns, type Yielding } from './fit.js'
import { isNarrow, textWidth } from './text-width.js'
import { visible } from './visible.js'
import { wrapWords } from './wrap.js'

/** A column of a table. On a terminal that is too narrow, it is left out or wrapped. */
export interface Column<Row> extends Yielding {
  readonly head: string
  readonly align?: 'left' | 'right'
  /**
   * Returns the plain text of a cell. The table marks look-alike names in it, and shows invisible characters as codes.
   */
  readonly text: (row: Row) => string
  readonly paint?: (row: Row, text: string) => string
}

/** Options of a table. */
export interface TableChoice {
  /** `one`: no text is wrapped, for a screen that cuts its lines. Default: `several`. */
  readonly lines?: 'one' | 'several'
  /** The names of the columns, in the order in which they are shown; undefined for all columns. */
  readonly columns?: readonly string[] | undefined
  readonly headers?: boolean
}

/** The space between two columns. */
const GAP = '  '

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
}

/**
 * The most rows of a table that cli-table3 lays out. It takes 20 to 100 µs for a cell, and a list of 100,000 endpoints
 * has a million cells.
 */
const MAX_ROWS_LAID_OUT = 50

/**
 * Renders rows under dim heads, without borders. A pipe gets the same table as a terminal that is wide enough.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  palette: Palette,
  { lines = 'several', columns: names, headers = true }: TableChoice = {},
): string {
  const columns = names === undefined ? all : names.map((name) => columnNamed(name, all))
  const contents = columns.map(({ text }) => rows.map(text))
  const mark = markInCells(contents)
  const whole = columns.map((column, at) => {
    const texts = (contents[at] ?? []).map((text) => visible(mark(text)))
    return measured([column.head, ...(palette.isAscii ? texts.map(toAscii) : texts)], column)
  })
  const fitting = fitColumns(
    whole,
    names === undefined ? palette.columns : Number.POSITIVE_INFINITY,
    GAP.length,
  ).flatMap(({ at, width }) => {
    const [cells, column] = [whole[at], columns[at]]
    if (!cells || !column) return []
    const isWrapped = lines === 'several' && width < cells.width
    return [{ column, cells: isWrapped ? wrapped(cells, width) : cells }]
  })
  const drawn = fitting.map(({ column, cells }) => painted(rows, cells, column, palette))
  // cli-table3 overestimates the width of some scripts, and would cut such a cell.
  const isForLibrary = rows.length <= MAX_ROWS_LAID_OUT && drawn.every(({ isNarrow }) => isNarrow)
  const text = isForLibrary ? laidOut(drawn, rows.length) : joined(drawn, rows.length)
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .slice(headers ? 0 : 1)
    .join('\n')
}

/** @throws DiscoError USAGE */
function columnNamed<Row>(name: string, columns: readonly Column<Row>[]): Column<Row> {
  const found = columns.find(({ head }) => nameOf(head) === name)
  if (found) return found
  throw unknownColumn(
    '--columns',
    name,
    columns.map(({ head }) => nameOf(head)),
  )
}

/** The column of glyphs has no head. */
function nameOf(head: string): string {
  return head === '' ? 'state' : head.toLowerCase().replaceAll(' ', '-')
}

/** The cells of a column, beginning with its head. A cell has one line or several. */
interface Cells extends Yielding {
  readonly align: 'left' | 'right'
  readonly cells: readonly string[]
  /** The width of each cell without colours, in columns of the terminal: that of its longest line. */
  readonly widths: readonly number[]
  readonly width: number
  /** Whether all characters take one column. */
  readonly isNarrow: boolean
}

function measured(texts: readonly string[], { align = 'left', dropOrder, wraps }: Column<never>): Cells {
  const widths = texts.map(textWidth)
  const width = widths.reduce((most, width) => Math.max(most, width), 1)
  return { align, dropOrder, wraps, cells: texts, widths, width, isNarrow: texts.every(isNarrow) }
}

function wrapped(column: Cells, width: number): Cells {
  const lines = column.cells.map((text) => wrapWords(text, width))
  const widths = lines.map((parts) => Math.max(...parts.map(textWidth)))
  return {
    ...column,
    cells: lines.map((parts) => parts.join('\n')),
    widths,
    width: Math.max(width, ...widths),
  }
}

function painted<Row>(rows: readonly Row[], column: Cells, { paint }: Column<Row>, palette: Palette): Cells {
  const cells = column.cells.map((text, line) => {
    const row = rows[line - 1]
    if (row === undefined) return palette.dim(text)
    // Each line of a cell is painted separately, because the text of the next column follows it.
    return paint
      ? linesOf(text)
          .map((part) => paint(row, part))
          .join('\n')
      : text
  })
  return { ...column, cells }
}

function linesOf(text: string): string[] {
  return text.split('\n')
}

function laidOut(columns: readonly Cells[], rows: number): string {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align),
    colWidths: columns.map(({ width }) => width),
  })
  for (let line = 0; line <= rows; line++) table.push(columns.map(({ cells }) => cells[line] ?? ''))
  return table.toString()
}

function joined(columns: readonly Cells[], rows: number): string {
  const lines: string[] = []
  for (let row = 0; row <= rows; row++) {
    if (columns.some(({ cells }) => cells[row]?.includes('\n'))) lines.push(...linesOfRow(columns, row))
    else
      lines.push(
        columns.map((column) => padded(column.cells[row] ?? '', column.widths[row] ?? 0, column)).join(GAP),
      )
  }
  return lines.join('\n')
}

function linesOfRow(columns: readonly Cells[], row: number): string[] {
  const cells = columns.map(({ cells }) => linesOf(cells[row] ?? ''))
  const height = Math.max(...cells.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) =>
    columns
      .map((column, at) => {
        const part = cells[at]?.[line] ?? ''
        return padded(part, textWidth(part), column)
      })
      .join(GAP),
  )
}

function padded(cell: string, width: number, column: Cells): string {
  const padding = ' '.repeat(column.width - width)
  return column.align === 'right' ? padding + cell : cell + padding
}
