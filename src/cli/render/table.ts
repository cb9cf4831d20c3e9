import Table from 'cli-table3'
import stringWidth from 'string-width'
import type { Palette } from '../color.js'
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

/** cli-table3 lays out every row against every other: its time grows with the square of the rows. */
const ROWS_AT_ONCE = 40

/** Rows under dim heads, two spaces between columns, no borders: the same for a terminal and a pipe. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  palette: Palette,
): string {
  const heads = columns.map(({ head }) => palette.dim(head))
  const cells = rows.map((row) =>
    columns.map(({ text, paint }) => {
      const shown = visible(text(row))
      return paint ? paint(row, shown) : shown
    }),
  )
  const lines = [heads, ...cells]
  const widths = columns.map((_, at) =>
    lines.reduce((most, line) => Math.max(most, stringWidth(line[at] ?? '')), 0),
  )
  const aligns = columns.map(({ align }) => align ?? 'left')
  const parts: string[] = []
  for (let from = 0; from < lines.length; from += ROWS_AT_ONCE) {
    const table = new Table({
      chars: NO_BORDERS,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
      ...{ colAligns: aligns, colWidths: widths },
    })
    table.push(...lines.slice(from, from + ROWS_AT_ONCE))
    parts.push(table.toString())
  }
  const rendered = parts.join('\n').split('\n')
  return rendered.map((line) => line.trimEnd()).join('\n')
}
