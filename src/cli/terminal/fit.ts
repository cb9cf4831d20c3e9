/** How a column behaves where the table is wider than the terminal. */
export interface Yielding {
  /** The column is left out, those with the smallest number first. */
  readonly leaves?: number | undefined
  /** Its texts continue on further lines. */
  readonly wraps?: boolean | undefined
}

interface Wide extends Yielding {
  /** Columns of the terminal that its longest text takes. */
  readonly width: number
}

/** A narrower column of texts would be a column of words. */
const MIN_WRAPPED = 18

/** What stays of a table where it does not fit: less could not be read. */
const MIN_LAST = 10

/**
 * The places of the columns that stay, with their widths. Texts are wrapped first, then columns are left out. What
 * remains may still be too wide: names are never cut.
 */
export function fitColumns(
  columns: readonly Wide[],
  room: number,
  gap: number,
): readonly { readonly at: number; readonly width: number }[] {
  let kept = columns.map((column, at) => ({ ...column, at }))
  const total = (widthOf: (column: Wide) => number) =>
    kept.reduce((sum, column) => sum + widthOf(column), 0) + gap * Math.max(0, kept.length - 1)
  while (total((column) => least(column, MIN_WRAPPED)) > room) {
    const first = Math.min(...kept.map(({ leaves = Number.POSITIVE_INFINITY }) => leaves))
    if (first === Number.POSITIVE_INFINITY) break
    kept = kept.filter(({ leaves }) => leaves !== first)
  }
  const min = total((column) => least(column, MIN_WRAPPED)) > room ? MIN_LAST : MIN_WRAPPED
  let spare = Math.max(0, room - total((column) => least(column, min)))
  return kept.map((column) => {
    const needed = least(column, min)
    const width = Math.min(column.width, needed + spare)
    spare -= width - needed
    return { at: column.at, width }
  })
}

function least({ width, wraps }: Wide, min: number): number {
  return wraps ? Math.min(width, min) : width
}
