import { failureRate } from '../charts/throughput.js'
import { durationFigure, percentFigure, table, wholeFigure } from '../figures.js'
import { type Markup, markup } from '../markup.js'
import type { ShownRun } from '../shown-run.js'

/** The failed calls by status, with the first message of each status, and the rate of failures over time. */
export function errorsSection(run: ShownRun): Markup {
  const { doc, series } = run
  const { failures, calls, firstFailure } = doc
  const rows = Object.entries(failures).sort(([, one], [, other]) => other - one)
  if (rows.length === 0) return markup`<section><h2>Errors</h2><p>No call failed.</p></section>`
  const errors = table('errors', rows, [
    { head: 'Status', cell: ([status]) => status },
    { head: 'Calls', isNumber: true, cell: ([, failed]) => wholeFigure(failed) },
    { head: 'Part', isNumber: true, cell: ([, failed]) => percentFigure(failed, calls) },
    {
      head: 'First at call',
      isNumber: true,
      cell: ([status]) => wholeFigure(series.firstFailures.get(status)?.n ?? null),
    },
    {
      head: 'First at',
      isNumber: true,
      cell: ([status]) => durationFigure(series.firstFailures.get(status)?.atMs ?? null),
    },
    {
      head: 'Endpoint',
      cell: ([status]) => markup`<bdi>${series.firstFailures.get(status)?.addr ?? 'no endpoint'}</bdi>`,
    },
    { head: 'First message', cell: ([status]) => series.firstFailures.get(status)?.details ?? '' },
  ])
  const details = (firstFailure?.errorDetails ?? []).map(
    (detail) => markup`<pre>${JSON.stringify(detail)}</pre>`,
  )
  const chart = failureRate(run, Math.max(doc.elapsedMs, 1e-3))
  return markup`<section><h2>Errors</h2>${errors}${details}${chart}</section>`
}
