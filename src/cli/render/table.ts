import Table from 'cli-table3'
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

/** Rows under dim heads, two spaces between columns, no borders: the same for a terminal and a pipe. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  palette: Palette,
): string {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align ?? 'left'),
  })
  table.push(columns.map(({ head }) => palette.dim(head)))
  for (const row of rows) {
    table.push(
      columns.map(({ text, paint }) => {
        const shown = visible(text(row))
        return paint ? paint(row, shown) : shown
      }),
    )
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
