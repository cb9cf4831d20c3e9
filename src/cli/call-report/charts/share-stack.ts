import { count } from '../../terminal/units.js'
import { type Markup, markup } from '../markup.js'
import { type ShareOf, type ShownRun, shareOf, shareOfOthers, shortName } from '../shown-run.js'
import { drawing, eventMarks, timePlot, valueAxis } from './axes.js'
import { colorOf, type Key, legend, SERIES_COLORS } from './legend.js'
import { linearScale } from './scale.js'
import { type Step, stepArea, stepLine } from './steps.js'

const AREA = { width: 960, height: 330, left: 56, right: 14, top: 34, bottom: 40 }

interface Layer {
  readonly label: string
  readonly share: ShareOf
}

/**
 * The shares of all endpoints as a stacked column for each interval. Dashed lines show the expected boundaries: a gap
 * between a boundary and its line means too many or too few calls.
 */
export function shareStack(run: ShownRun, endMs: number): Markup {
  const { intervals } = run.series
  const plot = timePlot(AREA, endMs, 10)
  const { x } = plot
  const y = linearScale(0, 1, AREA.height - AREA.bottom, AREA.top)
  const layers = layersOf(run)
  const boundaries = [null, ...layers.keys()].map((at) => ({
    observed: summed(at, layers, ({ observed }) => observed),
    expected: summed(at, layers, ({ expected }) => expected),
  }))
  function summed(
    last: number | null,
    all: readonly Layer[],
    of: (share: ShareOf) => ShareOf['observed'],
  ): Step[] {
    const below = last === null ? [] : all.slice(0, last + 1)
    return intervals.map((interval) => {
      const { picks } = interval.shares
      const sum = below.reduce((total, { share }) => total + of(share)(interval), 0)
      return { ...spanOf(interval), value: picks === 0 ? null : sum / picks }
    })
  }
  const areas = layers.map((_, at) => {
    const [lower, upper] = [boundaries[at]?.observed ?? [], boundaries[at + 1]?.observed ?? []]
    return markup`<path class="fill layer ${colorOf(at)}" d="${stepArea(lower, upper, x, y)}"/>`
  })
  const edges = boundaries
    .slice(1, -1)
    .map(({ expected }) => markup`<path class="expected" d="${stepLine(expected, x, y)}"/>`)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: `${at * 100}%` }))
  const keys: Key[] = layers.map(({ label }, at) => ({ color: colorOf(at), look: 'area', label }))
  const content = markup`${plot.axis}${valueAxis(AREA, ticks, y, 'share of calls')}${areas}${edges}${eventMarks(run.doc, plot)}`
  const description = `Share of the calls of each endpoint over time, for ${count(layers.length, 'group')}`
  return markup`${legend([...keys, { color: 'ink', look: 'dashed', label: 'expected boundary' }])}${drawing(AREA, description, content)}`
}

function layersOf({ drawn, others }: ShownRun): Layer[] {
  const named = drawn.length + others > SERIES_COLORS.length ? drawn.slice(0, SERIES_COLORS.length) : drawn
  const layers = named.map(({ id, name }) => ({ label: shortName(name, 40), share: shareOf(id) }))
  const rest = drawn.length - named.length + others
  if (rest === 0) return layers
  return [...layers, { label: `${count(rest, 'other')} together`, share: shareOfOthers(named) }]
}

function spanOf({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
  return { fromMs, toMs }
}
