import { conditionOf, type EndpointRow, noteOf } from '../endpoints/table.js'

/** The orders of a watched table. The key `s` switches to the next one. */
export const SORTS = ['address', 'weight', 'last change', 'state'] as const
export type Sort = (typeof SORTS)[number]

/** @param rows ordered by service, version and address, as in `ls` */
export function sorted(rows: readonly EndpointRow[], sort: Sort): readonly EndpointRow[] {
  switch (sort) {
    case 'address':
      return rows
    case 'weight':
      return rows.toSorted((a, b) => b.endpoint.weight - a.endpoint.weight)
    case 'last change':
      return rows.toSorted((a, b) => Number(b.endpoint.modRevision) - Number(a.endpoint.modRevision))
    case 'state':
      return rows.toSorted((a, b) => urgency(a) - urgency(b))
  }
}

const STATES = ['problem', 'drained', 'leased']

function urgency(row: EndpointRow): number {
  return STATES.indexOf(conditionOf(row))
}

/** The rows that contain a text, regardless of case. */
export function filtered(rows: readonly EndpointRow[], text: string): readonly EndpointRow[] {
  if (text === '') return rows
  const wanted = text.toLowerCase()
  return rows.filter((row) => textOf(row).toLowerCase().includes(wanted))
}

function textOf(row: EndpointRow): string {
  const { addr, version, registry = '', layout } = row.endpoint
  return [row.of.service, addr, version, registry, layout, noteOf(row)].join('\n')
}

/** Identifies an endpoint on the screen. */
export function rowId(registry: string | undefined, key: string, addr: string): string {
  return `${registry ?? ''}\0${key}\0${addr}`
}

/** The rows that fit on a screen. */
export interface Visible {
  readonly rows: readonly EndpointRow[]
  /** Number of hidden rows above the first shown row, after a scroll. */
  readonly above: number
  readonly hidden: number
}

/**
 * The rows for a screen with `room` lines. Unless the user has scrolled, the rows of the latest changes are shown as
 * well; they take at most half of the room.
 *
 * @param top the number of rows to scroll past
 * @param changed ids of the changed endpoints, the latest last
 */
export function visibleRows(
  rows: readonly EndpointRow[],
  room: number,
  top: number,
  changed: Iterable<string>,
): Visible {
  if (rows.length <= room) return { rows, above: 0, hidden: 0 }
  // The last line counts the hidden rows.
  const most = Math.max(0, room - 1)
  const hidden = rows.length - most
  const above = Math.min(top, hidden)
  if (above > 0) return { rows: rows.slice(above, above + most), above, hidden }
  const places = placesOf(rows, changed, Math.floor(most / 2))
  for (let at = 0; places.size < most; at++) places.add(at)
  const shown = [...places].sort((a, b) => a - b)
  return { rows: shown.flatMap((at) => rows[at] ?? []), above, hidden }
}

/** The indexes of the rows with the latest changes, at most `most`. */
function placesOf(rows: readonly EndpointRow[], changed: Iterable<string>, most: number): Set<number> {
  const latest = [...changed].toReversed()
  if (latest.length === 0) return new Set()
  const placeById = new Map<string, number>()
  const wanted = new Set(latest)
  for (const [at, { endpoint }] of rows.entries()) {
    const id = rowId(endpoint.registry, endpoint.key, endpoint.addr)
    if (wanted.has(id)) placeById.set(id, at)
  }
  return new Set(latest.flatMap((id) => placeById.get(id) ?? []).slice(0, most))
}
