import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { duration, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import { DROP_ORDER, numberColumn } from '../verdict/table.js'
import type { CallDoc, ComparisonDoc } from './document.js'

/** The share of each endpoint under each policy, then the totals of the runs. */
export function renderComparison({ service, method, runs }: ComparisonDoc, palette: Palette): string {
  const addrs = [...new Set(runs.flatMap(({ endpoints }) => endpoints.map(({ addr }) => addr)))]
  const shares: Column<string>[] = [
    { head: 'ENDPOINT', text: (addr) => addr },
    ...runs.map(
      (run): Column<string> => ({
        head: run.policy,
        align: 'right',
        text: (addr) => percent(picksOf(run, addr) / Math.max(1, run.calls)),
      }),
    ),
  ]
  const results: Column<CallDoc>[] = [
    { head: 'POLICY', text: ({ policy }) => policy },
    numberColumn('CALLS', ({ calls }) => String(calls), DROP_ORDER.calls),
    numberColumn('OK', ({ ok }) => String(ok)),
    numberColumn('CALLS/S', ({ perSecond }) => perSecond.toFixed(0)),
    numberColumn('p50', ({ latencyMs }) => duration(latencyMs.p50), DROP_ORDER.p50),
    numberColumn('p95', ({ latencyMs }) => duration(latencyMs.p95), DROP_ORDER.p95),
    numberColumn('p99', ({ latencyMs }) => duration(latencyMs.p99), DROP_ORDER.p99),
    numberColumn('max', ({ latencyMs }) => duration(latencyMs.max), DROP_ORDER.max),
    { head: 'VERDICT', text: ({ verdict }) => verdict.result.toUpperCase().replace('-', ' ') },
  ]
  return [
    `${visible(service)} → ${visible(method)}   ${runs.map(({ policy }) => policy).join(' against ')}`,
    '',
    renderTable(addrs, shares, palette),
    '',
    renderTable(runs, results, palette),
  ].join('\n')
}

function picksOf({ endpoints }: CallDoc, addr: string): number {
  return endpoints.reduce((sum, own) => sum + (own.addr === addr ? own.picks : 0), 0)
}
