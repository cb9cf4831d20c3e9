import type { CallDoc } from '../../call/document.js'
import { type Markup, markup } from '../markup.js'
import { linearScale, type Scale, type Tick, timeTicks } from './scale.js'

/** The size of a drawing, and the margins of its plot, in units of the viewBox (about a pixel each). */
export interface Area {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** A plot over the time of a run. */
export interface TimePlot {
  readonly area: Area
  readonly x: Scale
  readonly endMs: number
  /** Grid, labels and the title of the time axis. */
  readonly axis: Markup
}

export function timePlot(area: Area, endMs: number, mostTicks: number): TimePlot {
  const { width, height, left, right, bottom, top } = area
  const x = linearScale(0, endMs, left, width - right)
  const { ticks, unit } = timeTicks(endMs, mostTicks)
  const floor = height - bottom
  const marks = ticks.map(
    ({ at, label }) =>
      markup`<path class="grid" d="M${coordinate(x(at))} ${top}V${floor + 4}"/><text x="${coordinate(
        x(at),
      )}" y="${floor + 17}" text-anchor="middle">${label}</text>`,
  )
  const title = markup`<text class="title" x="${width - right}" y="${height - 4}" text-anchor="end">time since the first call (${unit})</text>`
  return { area, x, endMs, axis: markup`${marks}${title}` }
}

/** Horizontal grid lines with their labels, and the title above the axis. */
export function valueAxis(
  { width, left, right, top }: Area,
  ticks: readonly Tick[],
  y: Scale,
  title: string,
): Markup {
  const marks = ticks.map(
    ({ at, label }) =>
      markup`<path class="grid" d="M${left - 4} ${coordinate(y(at))}H${width - right}"/><text x="${left - 8}" y="${coordinate(
        y(at) + 4,
      )}" text-anchor="end">${label}</text>`,
  )
  return markup`${marks}<text class="title" x="${Math.max(2, left - 44)}" y="${top - 10}">${title}</text>`
}

/** A coordinate rounded to a tenth of a pixel, which is enough for smooth lines. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** @param description the text that a screen reader reads for the drawing */
export function drawing({ width, height }: Area, description: string, content: Markup): Markup {
  return markup`<div class="scroll"><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${description}">${content}</svg></div>`
}

/** The least distance of two marks, in units of the viewBox: nearer ones would overlap. */
const MIN_DISTANCE = 9

const GLYPHS = { joined: '+', left: '−', weight: '~', reconnect: '↻' } as const

/**
 * A vertical line at each change of the membership, a weight or a connection. Of lines that would overlap, only the
 * first is drawn.
 */
export function eventMarks(doc: CallDoc, { area, x, endMs }: TimePlot): Markup {
  const events = [
    ...doc.changes.map(({ type, atMs }) => ({ glyph: GLYPHS[type], atMs })),
    ...doc.reconnects.map(({ atMs }) => ({ glyph: GLYPHS.reconnect, atMs })),
  ].sort((one, other) => one.atMs - other.atMs)
  let last = Number.NEGATIVE_INFINITY
  const marks = events.flatMap(({ glyph, atMs }) => {
    const at = x(Math.min(atMs, endMs))
    if (at - last < MIN_DISTANCE) return []
    last = at
    const floor = area.height - area.bottom
    return markup`<path class="event" d="M${coordinate(at)} ${area.top}V${floor}"/><text class="event-glyph" x="${coordinate(at)}" y="${area.top - 3}" text-anchor="middle">${glyph}</text>`
  })
  return markup`${marks}`
}
