import { count, percent } from '../../terminal/units.js'
import { type Markup, markup } from '../markup.js'
import { type ShareOf, type ShownRun, shareOf, shareOfOthers } from '../shown-run.js'
import { drawing, timePlot, valueAxis } from './axes.js'
import { colorOf, legend, REST_COLOR } from './legend.js'
import { linearScale, linearTicks } from './scale.js'
import { type Step, stepArea, stepLine } from './steps.js'

const AREA = { width: 340, height: 170, left: 48, right: 12, top: 24, bottom: 38 }

/** A small chart for each endpoint, with its own scale: the observed share, and the expected share as a dashed line. */
export function sharePanels(run: ShownRun, endMs: number): Markup {
  const { doc, drawn, others } = run
  const part = (calls: number) => percent(calls / Math.max(1, doc.calls))
  const panels = drawn.map(({ id, name, doc: { weight, version, picks, expected } }, at) => {
    const about = [
      `weight ${weight}`,
      ...(version === '' ? [] : [version]),
      `${part(picks)} of ${part(expected)} expected`,
    ]
    return panel(run, endMs, { name, about: about.join(', '), color: colorOf(at), share: shareOf(id) })
  })
  const rest = { name: `${count(others, 'other endpoint')} together`, about: '', color: REST_COLOR }
  const last = others > 0 ? [panel(run, endMs, { ...rest, share: shareOfOthers(drawn) })] : []
  const keys = legend([
    { color: 'ink', look: 'line', label: 'observed share' },
    { color: 'ink', look: 'dashed', label: 'expected share' },
  ])
  return markup`${keys}<div class="panels">${panels}${last}</div>`
}

interface Panel {
  readonly name: string
  readonly about: string
  readonly color: string
  readonly share: ShareOf
}

function panel({ series }: ShownRun, endMs: number, { name, about, color, share }: Panel): Markup {
  const plot = timePlot(AREA, endMs, 4)
  const steps = (of: ShareOf['observed']): Step[] =>
    series.intervals.map((interval) => {
      const { picks } = interval.shares
      const { fromMs, toMs } = interval
      return { fromMs, toMs, value: picks === 0 ? null : of(interval) / picks }
    })
  const observed = steps(share.observed)
  const expected = steps(share.expected)
  const most = Math.max(0.001, ...[...observed, ...expected].map(({ value }) => value ?? 0))
  const ticks = linearTicks(
    Math.min(1, most * 1.05),
    4,
    (value) => `${Number((value * 100).toPrecision(3))}%`,
  )
  const y = linearScale(0, ticks.at(-1)?.at ?? 1, AREA.height - AREA.bottom, AREA.top)
  const floor = observed.map((step) => ({ ...step, value: 0 }))
  const content = markup`${plot.axis}${valueAxis(AREA, ticks, y, 'share')}<path class="tint ${color}" d="${stepArea(floor, observed, plot.x, y)}"/><path class="line ${color}" d="${stepLine(observed, plot.x, y)}"/><path class="expected" d="${stepLine(expected, plot.x, y)}"/>`
  return markup`<section class="panel"><h4><bdi>${name}</bdi></h4><p>${about}</p>${drawing(AREA, `Share of the calls of ${name} over time`, content)}</section>`
}
