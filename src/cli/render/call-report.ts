import type { Palette } from '../color.js'
import type { CallDoc, CallEndpointDoc } from '../schema/call.js'
import { type Column, renderTable } from './table.js'
import { count, duration, percent } from './units.js'
import { visible } from './visible.js'

const BAR_WIDTH = 20

/** Who got the calls, who should have, how fast, and whether that is what the weights say. */
export function renderCallReport(doc: CallDoc, palette: Palette): string {
  const { service, method, policy, ready, rev } = doc
  const readiness = `${ready.endpoints}/${ready.of} ready in ${duration(ready.elapsedMs)}`
  return [
    `${visible(service)} → ${method}   policy ${policy}   ${readiness}   rev ${rev}`,
    '',
    renderTable(doc.endpoints, columns(doc, palette), palette),
    '',
    ...doc.unserved.map((endpoint) => {
      const share = `${percent(endpoint.share)} of the weight is unserved`
      return palette.yellow(
        `! ${visible(endpoint.addr)} was never READY (${visible(endpoint.problem)}): ${share}`,
      )
    }),
    ...(doc.misrouted > 0
      ? [palette.red(`! ${count(doc.misrouted, 'call')} went to another address than was picked`)]
      : []),
    verdictLine(doc, palette),
    `      ${totals(doc)}`,
  ].join('\n')
}

function columns({ calls, endpoints }: CallDoc, palette: Palette): Column<CallEndpointDoc>[] {
  const fraction = (number: number) => (calls === 0 ? 0 : number / calls)
  const most = Math.max(1e-9, ...endpoints.map(({ picks, expected }) => fraction(Math.max(picks, expected))))
  const number = (head: string, text: (row: CallEndpointDoc) => string): Column<CallEndpointDoc> => ({
    head,
    align: 'right',
    text,
  })
  return [
    { head: 'ENDPOINT', text: ({ addr }) => addr },
    number('WEIGHT', ({ weight }) => String(weight)),
    number('CALLS', ({ picks }) => String(picks)),
    number('OBSERVED', ({ picks }) => percent(fraction(picks))),
    number('EXPECTED', ({ expected }) => percent(fraction(expected))),
    {
      head: '',
      text: ({ picks, expected }) => bar(fraction(picks) / most, fraction(expected) / most),
      paint: (_, text) => palette.cyan(text.replace('|', palette.dim('|'))),
    },
    number('p50', ({ latencyMs }) => duration(latencyMs.p50)),
    number('p95', ({ latencyMs }) => duration(latencyMs.p95)),
    number('p99', ({ latencyMs }) => duration(latencyMs.p99)),
    number('ERR', ({ errors }) => String(errors)),
  ]
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

function verdictLine({ verdict, calls }: CallDoc, palette: Palette): string {
  const gap = `largest gap ${verdict.gap.toFixed(2)} calls, ${verdict.limit} allowed (deterministic policy)`
  if (calls === 0) return `${palette.bold('NONE')}  no call was made`
  if (verdict.result === 'pass') return `${palette.bold.green('PASS')}  follows the expected shares: ${gap}`
  return `${palette.bold.red('FAIL')}  strays from the expected shares: ${gap}`
}

function totals({ calls, ok, elapsedMs, latencyMs, failures, interrupted }: CallDoc): string {
  const failed = Object.entries(failures).map(([status, number]) => `, ${number} ${status}`)
  const cut = interrupted ? ' (interrupted)' : ''
  const slowest = `p50 ${duration(latencyMs.p50)}, max ${duration(latencyMs.max)}`
  return `${count(calls, 'call')}, ${ok} OK${failed.join('')} in ${duration(elapsedMs)}${cut}, ${slowest}.`
}
