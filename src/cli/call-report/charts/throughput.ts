import type { SeriesInterval } from '../../../call/report.js'
import { type Markup, markup } from '../markup.js'
import type { ShownRun } from '../shown-run.js'
import { drawing, eventMarks, timePlot, valueAxis } from './axes.js'
import { linearScale, linearTicks } from './scale.js'
import { stepArea, stepLine } from './steps.js'

const AREA = { width: 960, height: 190, left: 56, right: 14, top: 34, bottom: 40 }

/** Calls that ended per second. */
export function callRate(run: ShownRun, endMs: number): Markup {
  return rate(run, endMs, { of: ({ calls }) => calls, color: 'c2', title: 'calls per second' })
}

/** Failed calls per second, with a separate axis: on the axis of all calls, a few failures would not be visible. */
export function failureRate(run: ShownRun, endMs: number): Markup {
  return rate(run, endMs, { of: ({ errors }) => errors, color: 'bad', title: 'failed calls per second' })
}

interface Rate {
  readonly of: (interval: SeriesInterval) => number
  readonly color: string
  readonly title: string
}

function rate({ doc, series }: ShownRun, endMs: number, { of, color, title }: Rate): Markup {
  const plot = timePlot(AREA, endMs, 10)
  const steps = series.intervals.map((interval) => {
    const { fromMs, toMs } = interval
    const lengthMs = Math.max(1e-3, Math.min(toMs, endMs) - fromMs)
    return { fromMs, toMs, value: fromMs >= endMs ? null : (of(interval) * 1_000) / lengthMs }
  })
  const most = Math.max(1e-3, ...steps.map(({ value }) => value ?? 0))
  const ticks = linearTicks(most, 4, (value) => Number(value.toPrecision(3)).toLocaleString('en-US'))
  const y = linearScale(0, ticks.at(-1)?.at ?? 1, AREA.height - AREA.bottom, AREA.top)
  const floor = steps.map((step) => ({ ...step, value: 0 }))
  const content = markup`${plot.axis}${valueAxis(AREA, ticks, y, title)}<path class="tint ${color}" d="${stepArea(floor, steps, plot.x, y)}"/><path class="line ${color}" d="${stepLine(steps, plot.x, y)}"/>${eventMarks(doc, plot)}`
  return drawing(AREA, `${title} over time`, content)
}
