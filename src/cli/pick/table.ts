import { sourceOf, staleness } from '../resolve/table.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { count, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import { bar } from '../verdict/table.js'
import type { PickDoc, PickedDoc } from './document.js'

/** The simulated picks of a policy, with a remark on its guarantee. */
export function renderSimulation(doc: PickDoc, palette: Palette): string {
  const parameters = Object.keys(doc.parameters).length === 0 ? '' : ` ${JSON.stringify(doc.parameters)}`
  return [
    `${visible(doc.target)}   policy ${doc.policy}${visible(parameters)}   ${count(doc.picks, 'pick')}   ${sourceOf(doc)}`,
    ...staleness(doc, palette),
    '',
    ...(doc.endpoints.length === 0 ? [] : [renderTable(doc.endpoints, columns(doc, palette), palette), '']),
    ...refusals(doc, palette),
    remark(doc),
    ...moves(doc),
  ].join('\n')
}

function columns({ picks, endpoints }: PickDoc, palette: Palette): Column<PickedDoc>[] {
  const most = Math.max(1e-9, ...endpoints.map((row) => Math.max(row.picks, row.expected ?? 0)))
  const numbers = (head: string, text: (row: PickedDoc) => string): Column<PickedDoc> => ({
    head,
    align: 'right',
    text,
  })
  return [
    { head: 'ENDPOINT', text: ({ addr }) => addr },
    { head: 'VERSION', text: ({ version }) => version, dropOrder: 2 },
    numbers('WEIGHT', ({ weight }) => String(weight)),
    numbers('PICKS', (row) => String(row.picks)),
    numbers('SHARE', ({ share }) => percent(share)),
    numbers('EXPECTED', ({ expected }) => (expected === null ? '–' : percent(expected / picks))),
    numbers('GAP', ({ gap }) => (gap === null ? '–' : signed(gap))),
    {
      head: '',
      dropOrder: 1,
      text: (row) => bar(row.picks / most, (row.expected ?? row.picks) / most),
      paint: (_, text) => palette.cyan(text.replace('|', palette.dim('|'))),
    },
  ]
}

function signed(gap: number): string {
  return `${gap > 0 ? '+' : ''}${gap.toFixed(2)}`
}

function refusals({ refused, picks, endpoints }: PickDoc, palette: Palette): string[] {
  if (refused === 0) return []
  const why = endpoints.every(({ weight }) => weight === 0)
    ? 'no endpoint is in rotation'
    : 'the pinned endpoint is not in rotation'
  return [palette.yellow(`! ${count(refused, 'pick')} of ${picks} would fail: ${why}`)]
}

/** The guarantee of the policy, in one sentence. */
function remark({ policy, shares, gap, seed, parameters }: PickDoc): string {
  const largest = `largest gap ${inPicks(gap ?? 0)} picks at any moment`
  if (shares === 'exact') return `${largest}: always below 1 under this policy`
  if (shares === 'random') return `${largest}, drawn with seed ${seed}: shares follow on average`
  if (policy === 'least_request')
    return `${largest}, drawn with seed ${seed}: every endpoint is idle in a simulation`
  if (gap === null) return 'This policy promises no shares'
  if ('key' in parameters) return 'Every pick has the same key, and so the same endpoint'
  return policy === 'source_hash'
    ? `${largest}: each pick is for another client, and a client always gets the same endpoint`
    : `${largest}: each pick has another key, and a key always gets the same endpoint`
}

/** Rounding must not turn a gap below one pick into a whole pick. */
function inPicks(gap: number): string {
  return (gap < 1 ? Math.min(gap, 0.99) : gap).toFixed(2)
}

function moves({ moves }: PickDoc): string[] {
  if (moves === null) return []
  const part = percent(moves.keys === 0 ? 0 : moves.moved / moves.keys)
  const others = moves.moved - moves.own
  const whose = others === 0 ? 'all of them were on it' : `${others} of them were on other endpoints`
  return [`Without ${visible(moves.without)}, ${moves.moved} of ${moves.keys} keys move (${part}): ${whose}`]
}
