import type { Palette } from '../color.js'
import type { CallDoc, CallEndpointDoc } from '../schema/call.js'
import { renderAssertions, renderChanges, renderHistogram, renderVersions, statuses } from './call-parts.js'
import { type Column, renderTable } from './table.js'
import { count, duration, percent } from './units.js'
import { verdictLines } from './verdict.js'
import { visible } from './visible.js'

const BAR_WIDTH = 20

/** Fewer tell no rate: the first call alone may take most of the time. */
const MANY_CALLS = 100

export interface ReportOptions {
  /** Whether to show how the latencies spread. */
  readonly withHistogram?: boolean
}

/** Who got the calls, who should have, how fast, and whether that is what the weights say. */
export function renderCallReport(doc: CallDoc, palette: Palette, options: ReportOptions = {}): string {
  const { service, method, policy, calls, ready, rev } = doc
  const { head, below } = verdictLines(doc.verdict, { policy, calls, weights: standingWeights(doc) }, palette)
  const readiness = `${ready.endpoints}/${ready.of} ready in ${duration(ready.elapsedMs)}`
  return [
    `${visible(service)} → ${method}   policy ${policy}   ${readiness}   rev ${rev}`,
    '',
    renderTable(doc.endpoints, columns(doc, palette), palette),
    '',
    ...renderVersions(doc, palette),
    ...renderChanges(doc),
    ...doc.unserved.map((endpoint) => {
      const share = `${percent(endpoint.share)} of the weight is unserved`
      return palette.yellow(
        `! ${visible(endpoint.addr)} was never READY (${visible(endpoint.problem)}): ${share}`,
      )
    }),
    ...(doc.misrouted > 0
      ? [palette.red(`! ${count(doc.misrouted, 'call')} went to another address than was picked`)]
      : []),
    head,
    `      ${[...below, ...more(doc), totals(doc)].join(' ')}`,
    ...renderAssertions(doc, palette),
    ...(options.withHistogram ? ['', renderHistogram(doc, palette)] : []),
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
    number('max', ({ latencyMs }) => duration(latencyMs.max)),
    { head: 'ERR', text: ({ failures }) => statuses(failures) || '0' },
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

/** What to type where there were too few calls. */
function more({ verdict }: CallDoc): string[] {
  return verdict.result === 'inconclusive' && verdict.neededCalls !== null
    ? [`Try --n ${verdict.neededCalls}.`]
    : []
}

/** The weights, where every share of the run was by them: null where they changed. */
function standingWeights({ calls, endpoints }: CallDoc): number[] | null {
  const total = endpoints.reduce((sum, { weight }) => sum + weight, 0)
  const stood = endpoints.every(
    ({ weight, expected }) => Math.abs(expected - (calls * weight) / total) < 0.01,
  )
  return stood ? endpoints.map(({ weight }) => weight) : null
}

function totals({
  calls,
  ok,
  attempts,
  elapsedMs,
  perSecond,
  latencyMs,
  failures,
  interrupted,
}: CallDoc): string {
  const failed = statuses(failures)
  const cut = interrupted ? ' (interrupted)' : ''
  const rate = calls >= MANY_CALLS ? `, ${Math.round(perSecond)}/s` : ''
  const retried = attempts > calls ? `, ${attempts} attempts` : ''
  const slowest = `p50 ${duration(latencyMs.p50)}, max ${duration(latencyMs.max)}`
  return `${count(calls, 'call')}, ${ok} OK${failed && `, ${failed}`}${retried} in ${duration(elapsedMs)}${rate}${cut}, ${slowest}.`
}
