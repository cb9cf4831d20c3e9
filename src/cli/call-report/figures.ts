import { duration, percent } from '../terminal/units.js'
import { type Markup, markup } from './markup.js'

/** A rounded number with its exact value in a `data` element, for scripts that read the page. A dash for null. */
export function figure(value: number | null, text: string): Markup {
  return value === null ? markup`–` : markup`<data value="${value}">${text}</data>`
}

export function wholeFigure(value: number | null): Markup {
  return figure(value, value === null ? '' : value.toLocaleString('en-US'))
}

export function durationFigure(ms: number | null): Markup {
  return figure(ms, duration(ms))
}

/** `part` of `calls` as a percentage. The `data` element has the fraction, from 0 to 1. */
export function percentFigure(part: number, calls: number): Markup {
  const fraction = part / Math.max(1, calls)
  return figure(Math.round(fraction * 1e6) / 1e6, percent(fraction))
}

/** A table column. */
export interface Column<Row> {
  readonly head: string
  readonly isNumber?: boolean
  readonly cell: (row: Row) => Markup | string
}

/** @param name the class of the table, for style sheets and tests */
export function table<Row>(name: string, rows: readonly Row[], columns: readonly Column<Row>[]): Markup {
  const heads = columns.map(
    ({ head, isNumber }) => markup`<th${numberClass(isNumber)} scope="col">${head}</th>`,
  )
  const lines = rows.map((row) => {
    const cells = columns.map(({ cell, isNumber }) => markup`<td${numberClass(isNumber)}>${cell(row)}</td>`)
    return markup`<tr>${cells}</tr>\n`
  })
  return markup`<div class="scroll"><table class="${name}"><thead><tr>${heads}</tr></thead><tbody>\n${lines}</tbody></table></div>`
}

function numberClass(isNumber = false): Markup | null {
  return isNumber ? markup` class="number"` : null
}
