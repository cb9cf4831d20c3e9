/** How a column yields width if the table is wider than the terminal. */
export interface Yielding {
  /** The order in which columns are left out: the smallest number first. Undefined: the column always stays. */
  readonly dropOrder?: number | undefined
  /** Whether long texts of the column are wrapped. */
  readonly wraps?: boolean | undefined
}

interface Wide extends Yielding {
  /** The width of the longest text, in columns of the terminal. */
  readonly width: number
}

/** The least width of a wrapped column: a narrower one would have about one word per line. */
const MIN_WRAPPED = 18

/** The least width of a wrapped column in a table that is too wide even without the columns that may be left out. */
const MIN_LAST = 10

/**
 * The indexes of the shown columns, with their widths. Texts are wrapped first, then columns are left out. The result
 * may still be too wide, because names are never cut.
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
    const first = Math.min(...kept.map(({ dropOrder = Number.POSITIVE_INFINITY }) => dropOrder))
    if (first === Number.POSITIVE_INFINITY) break
    kept = kept.filter(({ dropOrder }) => dropOrder !== first)
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
