import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import { constantWeights, unservedWeight } from '../verdict/line-inputs.js'
import { verdictLines } from '../verdict/lines.js'
import { DROP_ORDER, numberColumn, shareColumns } from '../verdict/table.js'
import type { CallDoc, CallEndpointDoc } from './document.js'
import {
  renderAssertions,
  renderChanges,
  renderFirstFailure,
  renderHistogram,
  renderRegistries,
  renderVersions,
  statuses,
} from './parts.js'
import { rateNotKept, renderReaderWait, renderUnfinished } from './saturation.js'

/** The rate is shown from this number of calls on: with fewer calls, the first one takes most of the time. */
const MANY_CALLS = 100

export interface ReportOptions {
  /** Whether to show the distribution of the latencies. */
  readonly withHistogram?: boolean
}

/** The report of a run: observed and expected calls of each endpoint, latencies, and the verdict. */
export function renderCallReport(doc: CallDoc, palette: Palette, options: ReportOptions = {}): string {
  const { service, selector, method, policy, ready, rev } = doc
  const name = selector === null ? service : `${service} -l ${selector}`
  const readiness = `${readyCounts(ready)} in ${duration(ready.elapsedMs)}`
  return [
    `${visible(name)} → ${method}   policy ${policy}   ${readiness}${rev === null ? '' : `   rev ${rev}`}`,
    '',
    renderTable(doc.endpoints, columns(doc, palette), palette),
    '',
    ...renderRegistries(doc, palette),
    ...renderVersions(doc, palette),
    ...renderChanges(doc),
    ...(doc.misrouted > 0
      ? [palette.red(`! ${count(doc.misrouted, 'call')} went to an address other than the picked one`)]
      : []),
    renderOutcome(doc, palette),
    ...(options.withHistogram ? ['', renderHistogram(doc, palette)] : []),
  ].join('\n')
}

/** `2 of 4 ready, 1 drained, 1 refused`. Every registered endpoint is in one of the states. */
function readyCounts({
  endpoints,
  registered,
  drained,
  refused,
  connecting,
  unusable,
}: CallDoc['ready']): string {
  const others = { drained, refused, connecting, unusable }
  const counts = Object.entries(others).filter(([, number]) => number > 0)
  return [`${endpoints} of ${registered} ready`, ...counts.map(([what, number]) => `${number} ${what}`)].join(
    ', ',
  )
}

/** The verdict, the totals, and the assertions. */
export function renderOutcome(doc: CallDoc, palette: Palette): string {
  const { policy, calls } = doc
  const reservations = [unservedWeight(doc.unserved), rateNotKept(doc)].filter((one) => one !== null)
  const judged = { policy, calls, weights: constantWeights(calls, doc.endpoints), reservations }
  const isInVerdict = calls > 0 && doc.verdict.result === 'pass'
  const { head, below } = verdictLines(doc.verdict, judged, palette)
  return [
    head,
    `      ${[...below, ...more(doc), totals(doc)].join(' ')}`,
    ...(isInVerdict ? [] : reservations.map((one) => palette.yellow(`! ${one}`))),
    ...renderReaderWait(doc, palette),
    ...renderUnfinished(doc, palette),
    ...renderFirstFailure(doc, palette),
    ...renderAssertions(doc, palette),
  ].join('\n')
}

function columns({ calls, endpoints }: CallDoc, palette: Palette): Column<CallEndpointDoc>[] {
  return [
    ...columnWhere<CallEndpointDoc>(endpoints, 'REGISTRY', ({ registry }) => registry ?? ''),
    ...shareColumns(calls, endpoints, ({ addr }) => addr, palette),
    numberColumn('p50', ({ latencyMs }) => duration(latencyMs.p50), DROP_ORDER.p50),
    numberColumn('p95', ({ latencyMs }) => duration(latencyMs.p95), DROP_ORDER.p95),
    numberColumn('p99', ({ latencyMs }) => duration(latencyMs.p99), DROP_ORDER.p99),
    numberColumn('max', ({ latencyMs }) => duration(latencyMs.max), DROP_ORDER.max),
    { head: 'ERR', text: ({ failures }) => statuses(failures) || '0', wraps: true },
    ...columnWhere<CallEndpointDoc>(endpoints, 'RECONNECTS', (row) => statuses(row.reconnectReasons)),
    ...columnWhere<CallEndpointDoc>(endpoints, 'NOTE', ({ note }) => note ?? ''),
  ]
}

/** The column, or none if its text is empty in every row. */
function columnWhere<Row>(rows: readonly Row[], head: string, text: (row: Row) => string): Column<Row>[] {
  return rows.some((row) => text(row) !== '') ? [{ head, text, wraps: true }] : []
}

/** Suggests a value of --n if there were too few calls for a verdict. */
function more({ calls, verdict: { result, neededCalls } }: CallDoc): string[] {
  return result === 'inconclusive' && calls < (neededCalls ?? 0) ? [`Try --n ${neededCalls}.`] : []
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
