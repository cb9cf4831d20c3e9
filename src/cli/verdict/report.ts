import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import type { VerdictDoc } from './document.js'
import { verdictLines } from './lines.js'
import { shareColumns } from './share-columns.js'

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
