import Table from 'cli-table3'
import type { Palette } from './color.js'
import { textWidth } from './text-width.js'
import { visible } from './visible.js'

export interface Column<Row> {
  readonly head: string
  readonly align?: 'left' | 'right'
  /** Plain text; it is made visible here. */
  readonly text: (row: Row) => string
  readonly paint?: (row: Row, text: string) => string
}

const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
  ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
  ...{ right: '', 'right-mid': '', middle: '  ' },
}

/** A character of one column that no cell holds: it marks where cells belong. */
const FILLER = '\uE000'

/** Rows under dim heads, two spaces between columns, no borders: the same for a terminal and a pipe. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  palette: Palette,
): string {
  const drawn = columns.map((column) => drawColumn(rows, column, palette))
  const [start = '', ...gaps] = gapsAround(drawn.map(({ width }) => width))
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    drawn.reduce((text, { cells }, at) => text + (cells[line] ?? '') + (gaps[at] ?? ''), start).trimEnd(),
  )
  return lines.join('\n')
}

/** A column's cells under its head, all of them padded to one width. */
function drawColumn<Row>(
  rows: readonly Row[],
  { head, align, text, paint }: Column<Row>,
  palette: Palette,
): { cells: string[]; width: number } {
  const texts = [head, ...rows.map((row) => visible(text(row)))]
  const widths = texts.map((shown) => textWidth(shown))
  const width = widths.reduce((most, one) => Math.max(most, one), 1)
  const cells = texts.map((shown, line) => {
    const row = rows[line - 1]
    const painted = row === undefined ? palette.dim(shown) : paint ? paint(row, shown) : shown
    const padding = ' '.repeat(width - (widths[line] ?? 0))
    return align === 'right' ? padding + painted : painted + padding
  })
  return { cells, width }
}

/**
 * What stands before, between and behind the cells of a row. cli-table3 lays out a row of fillers, and every row
 * is set in their places: it takes 20 µs for a cell, and a list of 100,000 endpoints has a million.
 */
function gapsAround(widths: readonly number[]): string[] {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: [...widths],
  })
  table.push(widths.map((width) => FILLER.repeat(width)))
  return table.toString().split(new RegExp(`${FILLER}+`))
}
