import type { CallDoc } from '../../call/document.js'
import { count, percent } from '../../terminal/units.js'
import { figure, table } from '../figures.js'
import { type Markup, markup, NOTHING } from '../markup.js'

/** Maximum number of rows: of thousands of dead endpoints, the first ones show the problem. */
const MAX_ROWS = 100

/** Endpoints with a share that were never READY. */
export function unservedSection({ unserved }: CallDoc): Markup {
  if (unserved.length === 0) return NOTHING
  const share = unserved.reduce((sum, one) => sum + one.share, 0)
  const rows = table('unserved', unserved.slice(0, MAX_ROWS), [
    { head: 'Endpoint', cell: ({ addr }) => markup`<bdi>${addr}</bdi>` },
    { head: 'Share', isNumber: true, cell: (own) => figure(own.share, percent(own.share)) },
    { head: 'Reason', cell: ({ problem }) => problem },
  ])
  const more =
    unserved.length > MAX_ROWS
      ? markup`<p class="note">${unserved.length - MAX_ROWS} more: see --json.</p>`
      : NOTHING
  return markup`<section><h2>Unserved weight</h2><p>${percent(share)} of the weight was never READY: ${count(unserved.length, 'endpoint')}.</p>${rows}${more}</section>`
}

/** Warnings about the target and its endpoints. */
export function notesSection({ notes, misrouted }: CallDoc): Markup {
  const texts = [
    ...(misrouted > 0 ? [`${count(misrouted, 'call')} went to another address than was picked`] : []),
    ...notes.slice(0, MAX_ROWS).map(({ text }) => text),
  ]
  if (texts.length === 0) return NOTHING
  return markup`<section><h2>Notes</h2><ul class="notes">${texts.map((text) => markup`<li>${text}</li>`)}</ul></section>`
}
