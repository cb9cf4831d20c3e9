import Table from 'cli-table3'
import { markInCells } from '../../domain/look-alike.js'
import type { Palette } from './color.js'
import { isNarrow, textWidth } from './text-width.js'
import { visible } from './visible.js'

export interface Column<Row> {
  readonly head: string
  readonly align?: 'left' | 'right'
  /** Plain text; look-alike names are marked and invisible characters shown here. */
  readonly text: (row: Row) => string
  readonly paint?: (row: Row, text: string) => string
}

/** Between two columns. */
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
 * cli-table3 takes 20 to 100 µs for a cell, and a list of 100,000 endpoints has a million: longer tables do not use
 * it.
 */
const MAX_ROWS_LAID_OUT = 50

/** Rows under dim heads, two spaces between columns, no borders: the same for a terminal and a pipe. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  palette: Palette,
): string {
  const contents = columns.map(({ text }) => rows.map(text))
  const mark = markInCells(contents)
  const drawn = columns.map((column, at) => {
    const texts = (contents[at] ?? []).map((text) => visible(mark(text)))
    return drawColumn(rows, texts, column, palette)
  })
  // cli-table3 overestimates the width of some scripts, and would cut such a cell.
  const isForLibrary = rows.length <= MAX_ROWS_LAID_OUT && drawn.every(({ isNarrow }) => isNarrow)
  const text = isForLibrary ? laidOut(drawn, rows.length) : joined(drawn, rows.length)
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** A column's cells under its head. */
interface Drawn {
  readonly align: 'left' | 'right'
  readonly cells: readonly string[]
  /** The terminal columns of each cell, without colours. */
  readonly widths: readonly number[]
  /** Whether all characters take one column. */
  readonly isNarrow: boolean
}

function drawColumn<Row>(
  rows: readonly Row[],
  shown: readonly string[],
  { head, align = 'left', paint }: Column<Row>,
  palette: Palette,
): Drawn {
  const texts = [head, ...shown]
  const cells = texts.map((text, line) => {
    const row = rows[line - 1]
    return row === undefined ? palette.dim(text) : paint ? paint(row, text) : text
  })
  return { align, cells, widths: texts.map(textWidth), isNarrow: texts.every(isNarrow) }
}

function laidOut(columns: readonly Drawn[], rows: number): string {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align),
    colWidths: columns.map(widthOf),
  })
  for (let line = 0; line <= rows; line++) table.push(columns.map(({ cells }) => cells[line] ?? ''))
  return table.toString()
}

function joined(columns: readonly Drawn[], rows: number): string {
  const padded = columns.map((column) => {
    const width = widthOf(column)
    return column.cells.map((cell, line) => {
      const padding = ' '.repeat(width - (column.widths[line] ?? 0))
      return column.align === 'right' ? padding + cell : cell + padding
    })
  })
  return Array.from({ length: rows + 1 }, (_, line) => padded.map((cells) => cells[line]).join(GAP)).join(
    '\n',
  )
}

function widthOf({ widths }: Drawn): number {
  return widths.reduce((most, width) => Math.max(most, width), 1)
}
