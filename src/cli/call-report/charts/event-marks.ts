import type { CallDoc } from '../../call/document.js'
import { type Markup, markup } from '../markup.js'
import { coordinate, type TimePlot } from './axes.js'

/** Marks that are nearer to each other would overlap. */
const MIN_DISTANCE = 9

const GLYPHS = { joined: '+', left: '−', weight: '~', reconnect: '↻' } as const

/** Vertical lines where the membership, a weight or a connection changed; of several at one place, the first. */
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
