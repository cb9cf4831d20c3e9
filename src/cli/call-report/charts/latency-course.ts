import { duration } from '../../terminal/units.js'
import { type Markup, markup } from '../markup.js'
import type { ShownRun } from '../shown-run.js'
import { drawing, eventMarks, timePlot, valueAxis } from './axes.js'
import { legend } from './legend.js'
import { logScale, logTicks } from './scale.js'
import { stepLine } from './steps.js'

const AREA = { width: 960, height: 280, left: 66, right: 14, top: 34, bottom: 40 }

/** An interval has a percentile only if it has at least the number of calls in the label. */
const LINES = [
  { of: 'max', color: 'rest', label: 'max' },
  { of: 'p99', color: 'c1', label: 'p99 (100 calls an interval)' },
  { of: 'p95', color: 'c4', label: 'p95 (20 calls)' },
  { of: 'p50', color: 'c0', label: 'p50 (2 calls)' },
] as const

/** Percentiles of the latency of the calls that ended in each interval, on a logarithmic axis. */
export function latencyCourse({ doc, series }: ShownRun, endMs: number): Markup {
  const plot = timePlot(AREA, endMs, 10)
  const { ticks, y } = latencyAxis(
    series.intervals.flatMap(({ latency }) => LINES.map(({ of }) => latency[of])),
    AREA.height - AREA.bottom,
    AREA.top,
  )
  const lines = LINES.map(({ of, color }) => {
    const steps = series.intervals.map(({ fromMs, toMs, latency }) => ({ fromMs, toMs, value: latency[of] }))
    return markup`<path class="line ${color}" d="${stepLine(steps, plot.x, y)}"/>`
  })
  const content = markup`${plot.axis}${valueAxis(AREA, ticks, y, 'latency (log scale)')}${lines}${eventMarks(doc, plot)}`
  const keys = LINES.map(({ color, label }) => ({ color, look: 'line', label }) as const)
  return markup`${legend(keys.toReversed())}${drawing(AREA, 'Latency percentiles over time', content)}`
}

/** A logarithmic axis that contains all latencies. @param values in milliseconds; null and 0 are ignored */
export function latencyAxis(values: readonly (number | null)[], start: number, end: number) {
  const all = values.filter((value): value is number => value !== null && value > 0)
  const least = all.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const most = all.reduce((most, value) => Math.max(most, value), 0)
  const ticks = logTicks(Number.isFinite(least) ? least : 1, most || 1, latencyLabel)
  const [first, last] = [ticks[0]?.at ?? 1, ticks.at(-1)?.at ?? 10]
  return { ticks, y: logScale(first, last, start, end) }
}

function latencyLabel(ms: number): string {
  if (ms >= 1_000) return `${Number((ms / 1_000).toPrecision(3))}s`
  return ms < 0.1
    ? `${Number((ms * 1_000).toPrecision(3))}µs`
    : ms < 1
      ? `${Number(ms.toPrecision(2))}ms`
      : duration(ms).replace('.0', '')
}
