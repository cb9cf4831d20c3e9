import type { CallDoc } from '../../call/document.js'
import { duration, percent } from '../../terminal/units.js'
import { type Markup, markup } from '../markup.js'
import { coordinate, drawing, valueAxis } from './axes.js'
import { linearScale, linearTicks } from './scale.js'

const AREA = { width: 960, height: 230, left: 56, right: 14, top: 34, bottom: 44 }
const MAX_BAR_WIDTH = 90

/** A bar for each latency band, with the number of its calls. */
export function distribution({ histogram, calls }: CallDoc): Markup {
  const most = Math.max(1, ...histogram.map((band) => band.calls))
  const ticks = linearTicks(most, 4, (value) => value.toLocaleString('en-US'))
  const floor = AREA.height - AREA.bottom
  const y = linearScale(0, ticks.at(-1)?.at ?? 1, floor, AREA.top)
  const width = Math.min(MAX_BAR_WIDTH, (AREA.width - AREA.left - AREA.right) / Math.max(1, histogram.length))
  const bars = histogram.map(({ fromMs, toMs, calls: inBand }, at) => {
    const left = AREA.left + at * width
    const top = y(inBand)
    const title = `above ${duration(fromMs)}, up to ${duration(toMs)}: ${inBand} calls, ${percent(inBand / Math.max(1, calls))}`
    return markup`<rect class="fill c0" x="${coordinate(left + 2)}" y="${coordinate(top)}" width="${coordinate(width - 4)}" height="${coordinate(floor - top)}"><title>${title}</title></rect><text x="${coordinate(left + width)}" y="${floor + 17}" text-anchor="middle">${label(toMs)}</text>`
  })
  const title = markup`<text class="title" x="${AREA.width - AREA.right}" y="${AREA.height - 4}" text-anchor="end">latency up to</text>`
  const content = markup`${valueAxis(AREA, ticks, y, 'calls')}${bars}${title}`
  return drawing(AREA, 'Distribution of the latencies', content)
}

function label(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000}s` : `${ms}ms`
}
