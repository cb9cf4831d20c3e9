import type { Palette } from '../terminal/color.js'
import type { Column } from '../terminal/table.js'
import { renderTable } from '../terminal/table.js'
import { percent } from '../terminal/units.js'
import type { VerdictDoc } from './document.js'
import { verdictLines } from './lines.js'

const BAR_WIDTH = 20

/** What is known of an endpoint's share in a run. */
export interface Shared {
  readonly weight: number
  readonly picks: number
  readonly expected: number
}

/** Who got the calls, and who should have. */
export function shareColumns<Row extends Shared>(
  calls: number,
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  palette: Palette,
): Column<Row>[] {
  const fraction = (number: number) => (calls === 0 ? 0 : number / calls)
  const most = Math.max(1e-9, ...rows.map(({ picks, expected }) => fraction(Math.max(picks, expected))))
  return [
    { head: 'ENDPOINT', text: nameOf },
    numberColumn('WEIGHT', ({ weight }) => String(weight)),
    numberColumn('CALLS', ({ picks }) => String(picks)),
    numberColumn('OBSERVED', ({ picks }) => percent(fraction(picks))),
    numberColumn('EXPECTED', ({ expected }) => percent(fraction(expected))),
    {
      head: '',
      text: ({ picks, expected }) => bar(fraction(picks) / most, fraction(expected) / most),
      paint: (_, text) => palette.cyan(text.replace('|', palette.dim('|'))),
    },
  ]
}

export function numberColumn<Row>(head: string, text: (row: Row) => string): Column<Row> {
  return { head, align: 'right', text }
}

/** What was observed as a bar, with a mark where it was expected to end. */
export function bar(observed: number, expected: number): string {
  const filled = Math.round(observed * BAR_WIDTH)
  const mark = Math.round(expected * BAR_WIDTH)
  const cells: string[] = Array.from({ length: Math.max(filled, mark + 1) }, (_, at) =>
    at < filled ? '█' : ' ',
  )
  cells[mark] = '|'
  return cells.join('')
}

/** Who got the calls, who should have, and whether that is what the weights say. */
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
