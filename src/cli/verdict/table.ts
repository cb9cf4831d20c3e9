import type { Palette } from '../terminal/color.js'
import type { Column } from '../terminal/table.js'
import { renderTable } from '../terminal/table.js'
import { percent } from '../terminal/units.js'
import type { VerdictDoc } from './document.js'
import { verdictLines } from './lines.js'

const BAR_WIDTH = 20

/** The order in which a report leaves out columns on a narrow terminal, see `Column.dropOrder`. */
export const DROP_ORDER = { bars: 1, p95: 2, max: 3, p50: 4, weight: 5, p99: 6, open: 7, calls: 8 } as const

/** Observed and expected calls of an endpoint in a run. */
export interface ShareFigures {
  readonly weight: number
  readonly picks: number
  readonly expected: number
}

/** Columns with each endpoint's observed and expected share of the calls. */
export function shareColumns<Row extends ShareFigures>(
  calls: number,
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  palette: Palette,
): Column<Row>[] {
  const fraction = (number: number) => (calls === 0 ? 0 : number / calls)
  const most = Math.max(1e-9, ...rows.map(({ picks, expected }) => fraction(Math.max(picks, expected))))
  return [
    { head: 'ENDPOINT', text: nameOf },
    numberColumn('WEIGHT', ({ weight }) => String(weight), DROP_ORDER.weight),
    numberColumn('CALLS', ({ picks }) => String(picks), DROP_ORDER.calls),
    numberColumn('OBSERVED', ({ picks }) => percent(fraction(picks))),
    numberColumn('EXPECTED', ({ expected }) => percent(fraction(expected))),
    {
      head: '',
      dropOrder: DROP_ORDER.bars,
      text: ({ picks, expected }) => bar(fraction(picks) / most, fraction(expected) / most),
      paint: (_, text) => palette.cyan(text.replace('|', palette.dim('|'))),
    },
  ]
}

/** @param dropOrder see {@link Column} */
export function numberColumn<Row>(head: string, text: (row: Row) => string, dropOrder?: number): Column<Row> {
  return { head, align: 'right', text, dropOrder }
}

/** A bar of the observed share, with a mark at the expected one. Both are fractions of the longest bar, from 0 to 1. */
export function bar(observed: number, expected: number): string {
  const filled = Math.round(observed * BAR_WIDTH)
  const mark = Math.round(expected * BAR_WIDTH)
  const cells: string[] = Array.from({ length: Math.max(filled, mark + 1) }, (_, at) =>
    at < filled ? '█' : ' ',
  )
  cells[mark] = '|'
  return cells.join('')
}

/** Each endpoint's observed and expected calls, and the verdict on them. */
export function renderVerdictReport(doc: VerdictDoc, palette: Palette): string {
  const { policy, calls, endpoints, verdict } = doc
  const weights = endpoints.map(({ weight }) => weight)
  const { head, below } = verdictLines(verdict, { policy, calls, weights }, palette)
  return [
    renderTable(
      endpoints,
      shareColumns(calls, endpoints, ({ name }) => name, palette),
      palette,
    ),
    '',
    head,
    ...(below.length === 0 ? [] : [`      ${below.join(' ')}`]),
  ].join('\n')
}
