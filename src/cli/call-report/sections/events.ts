import type { CallDoc } from '../../call/document.js'
import { count, duration } from '../../terminal/units.js'
import { durationFigure, table, wholeFigure } from '../figures.js'
import { type Markup, markup, NOTHING } from '../markup.js'

/** Maximum number of rows; JSON has the first 1,000 events of each kind. */
const MAX_ROWS = 200

interface Event {
  readonly atMs: number
  readonly atCall: number | null
  readonly glyph: string
  readonly addr: string
  readonly what: string
}

/** Joins, leaves, weights and reconnects with their times and call numbers. */
export function eventsSection(doc: CallDoc): Markup {
  const events = eventsOf(doc).sort((one, other) => one.atMs - other.atMs)
  const rows = events.slice(0, MAX_ROWS)
  const more = events.length - rows.length + doc.changesLeftOut + doc.reconnectsLeftOut
  if (rows.length === 0) {
    return markup`<section><h2>Events</h2><p>No endpoint joined, left, changed its weight or reconnected.</p></section>`
  }
  const events_ = table('events', rows, [
    { head: 'At', isNumber: true, cell: ({ atMs }) => durationFigure(atMs) },
    { head: 'From call', isNumber: true, cell: ({ atCall }) => (atCall === null ? '' : wholeFigure(atCall)) },
    { head: '', cell: ({ glyph }) => glyph },
    { head: 'Endpoint', cell: ({ addr }) => markup`<bdi>${addr}</bdi>` },
    { head: 'Event', cell: ({ what }) => what },
  ])
  const rest = more > 0 ? markup`<p class="note">${count(more, 'more event')}: see --json.</p>` : NOTHING
  return markup`<section><h2>Events</h2>${events_}${rest}</section>`
}

function eventsOf(doc: CallDoc): Event[] {
  return [
    ...doc.changes.map(({ type, addr, atCall, atMs, from, to, reason }) => {
      const at = { atMs, atCall, addr }
      if (type === 'joined') return { ...at, glyph: '+', what: `joined, weight ${to}` }
      if (type === 'left') return { ...at, glyph: '−', what: `left: ${reason ?? ''}` }
      return { ...at, glyph: '~', what: `weight ${from} → ${to}` }
    }),
    ...doc.failovers.map(({ addr, atMs, lastPickMs, picksAfter }) => {
      const last =
        lastPickMs === null
          ? 'never picked'
          : `last picked ${duration(Math.abs(lastPickMs))} ${lastPickMs < 0 ? 'before' : 'after'}`
      return {
        atMs,
        atCall: null,
        addr,
        glyph: '−',
        what: `gone from the registry: ${last}, ${count(picksAfter, 'pick')} after it`,
      }
    }),
    ...doc.reconnects.map(({ addr, atCall, atMs, reason, downMs }) => {
      const back = downMs === null ? 'not READY again' : `READY again after ${duration(downMs)}`
      return { atMs, atCall, addr, glyph: '↻', what: `reconnected: ${reason}; ${back}` }
    }),
  ]
}
