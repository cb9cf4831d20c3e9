import { renderLegend } from '../endpoints/table.js'
import type { Palette } from '../terminal/color.js'
import { cutTo } from '../terminal/screen.js'
import { graphemesOf, textWidth } from '../terminal/text-width.js'
import { visible } from '../terminal/visible.js'
import type { Controls } from './controls.js'

/** Numbers of rows. */
export interface RowCounts {
  /** The rows that match the filter. */
  readonly matching: number
  readonly all: number
}

/** The line below a watched table: glyphs, filter, order and keys. While the user types a filter: only the filter. */
export function renderControls(
  { filter, draft, sort }: Controls,
  { matching, all }: RowCounts,
  hasKeys: boolean,
  columns: number,
  palette: Palette,
): string {
  const counted = `${matching} of ${all}`
  if (draft !== null) {
    const keys = palette.dim(`   ${counted}   Enter: keep  Esc: cancel`)
    const typed = `/${visible(draft)}`
    // If the filter is too long, show its end, where the user types.
    const room = columns - textWidth(keys) - 1
    return `${textWidth(typed) <= room ? typed : `…${lastColumns(typed, Math.max(1, room - 1))}`}_${keys}`
  }
  const glyphs = renderLegend(palette)
  if (!hasKeys) return glyphs
  const set = [
    ...(filter === '' ? [] : [`/${cutTo(visible(filter), MOST_SHOWN)}: ${counted}, Esc: all`]),
    ...(sort === 'address' ? [] : [`by ${sort}`]),
  ].map((text) => palette.yellow(text))
  const [scroll, keys] = ['↑↓ PgUp PgDn', '/ filter  s sort  q quit'].map((text) => palette.dim(text))
  const lines = [
    [glyphs, ...set, `${scroll}  ${keys}`],
    [glyphs, ...set, keys],
    [...set, keys],
    set.length === 0 ? [glyphs] : set,
  ].map((parts) => parts.join(BETWEEN))
  return lines.find((line) => textWidth(line) <= columns) ?? lines.at(-1) ?? ''
}

const BETWEEN = '   '
/** Columns of the terminal for the active filter. */
const MOST_SHOWN = 20

function lastColumns(text: string, columns: number): string {
  let shown = ''
  for (const { segment } of [...graphemesOf(text)].toReversed()) {
    if (textWidth(segment + shown) > columns) break
    shown = segment + shown
  }
  return shown
}
