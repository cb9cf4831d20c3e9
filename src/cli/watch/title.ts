import type { Palette } from '../terminal/color.js'
import { cutTo } from '../terminal/screen.js'
import { textWidth } from '../terminal/text-width.js'
import { count } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'

/** Whether the list of a watch is up to date with etcd. */
export type Freshness =
  | { readonly type: 'connecting' }
  | { readonly type: 'live' }
  | {
      readonly type: 'stale'
      /** When etcd became unreachable, by the wall clock. */
      readonly since: Date
      readonly forMs: number
    }

/** Content of the first line of a watched screen. */
export interface TitleContent {
  /** Undefined for all services. */
  readonly service: string | undefined
  /** The selection as given on the command line; empty or absent for all endpoints. */
  readonly selection?: string
  /** The etcd members, as the user named them. */
  readonly members: readonly string[]
  readonly revision: number
  readonly endpoints: number
  readonly freshness: Freshness
}

/**
 * The title, such as `hello · 127.0.0.1:2379 · rev 424 · 4 endpoints · live`. In a narrow terminal, the least important
 * parts are omitted first. The freshness is always shown.
 */
export function renderTitle(watched: TitleContent, columns: number, palette: Palette): string {
  const { service, selection = '', members, revision, endpoints, freshness } = watched
  const whole = service === undefined ? 'all services' : visible(service)
  const name = selection === '' ? whole : `${whole} ${visible(selection)}`
  const [first = '', ...others] = members.map(visible)
  const where = others.length === 0 ? first : `${first} +${others.length}`
  const rev = `rev ${revision}`
  const size = count(endpoints, 'endpoint')
  const [full, counted, short] = freshnessTexts(freshness)
  const withList = [
    [name, members.map(visible).join(','), rev, size],
    [name, where, rev, size],
    [name, where, rev],
  ]
  const about = [...(freshness.type === 'connecting' ? [] : withList), [name, where], [name]]
  const titles = [
    ...about.map((parts) => ({ parts, status: full })),
    { parts: [name], status: counted },
    { parts: [name], status: short },
  ]
  const fitting = titles.find(({ parts, status }) => textWidth([...parts, status].join(BETWEEN)) <= columns)
  const { parts, status } = fitting ?? { parts: nameWithin(columns, name, short), status: short }
  const paint =
    freshness.type === 'stale' ? palette.red.bold : freshness.type === 'live' ? palette.green : palette.dim
  return [...parts, paint(status)].join(BETWEEN)
}

const BETWEEN = ' · '

/** The freshness in words, in three lengths. */
function freshnessTexts(freshness: Freshness): readonly [full: string, counted: string, short: string] {
  if (freshness.type !== 'stale') return [freshness.type, freshness.type, freshness.type]
  const time = freshness.since.toTimeString().slice(0, 8)
  const counted = `STALE since ${time} (${Math.floor(freshness.forMs / 1000)}s)`
  return [`${counted}, retrying`, counted, 'STALE']
}

/** The name, cut to the columns before the status; empty for fewer than two columns. */
function nameWithin(columns: number, name: string, status: string): string[] {
  const room = columns - textWidth(BETWEEN + status)
  return room < 2 ? [] : [cutTo(name, room)]
}
