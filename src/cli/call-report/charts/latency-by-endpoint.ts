import type { CallDoc } from '../../call/document.js'
import { type Markup, markup } from '../markup.js'
import { nameOf, shortName } from '../shown-run.js'
import { coordinate, drawing } from './axes.js'
import { latencyAxis } from './latency-course.js'
import { legend } from './legend.js'

/** Maximum number of rows; the table has all endpoints. */
export const MAX_ROWS = 20

const ROW_HEIGHT = 24
const AREA = { width: 960, left: 220, right: 30, top: 10, bottom: 44 }

const MARKS = [
  { of: 'p50', color: 'c0' },
  { of: 'p95', color: 'c4' },
  { of: 'p99', color: 'c1' },
  { of: 'max', color: 'rest' },
] as const

/** A row for each endpoint: a line from its median to its slowest call, with a mark at each percentile. */
export function latencyByEndpoint({ endpoints }: CallDoc): Markup {
  const rows = endpoints.filter(({ latencyMs }) => latencyMs.n > 0).slice(0, MAX_ROWS)
  const height = AREA.top + rows.length * ROW_HEIGHT + AREA.bottom
  const floor = height - AREA.bottom
  const values = rows.flatMap(({ latencyMs }) => MARKS.map(({ of }) => latencyMs[of]))
  const { ticks, y: x } = latencyAxis(values, AREA.left, AREA.width - AREA.right)
  const grid = ticks.map(
    ({ at, label }) =>
      markup`<path class="grid" d="M${coordinate(x(at))} ${AREA.top}V${floor + 4}"/><text x="${coordinate(x(at))}" y="${floor + 17}" text-anchor="middle">${label}</text>`,
  )
  const lines = rows.map((row, at) => {
    const level = AREA.top + (at + 0.5) * ROW_HEIGHT
    const { latencyMs } = row
    const marks = MARKS.flatMap(({ of, color }) => {
      const value = latencyMs[of]
      return value === null ? [] : [mark(of, color, x(value), level)]
    })
    const known = MARKS.flatMap(({ of }) => latencyMs[of] ?? [])
    const [from, to] = [x(Math.min(...known)), x(Math.max(...known))]
    const name = markup`<text x="${AREA.left - 10}" y="${level + 4}" text-anchor="end">${shortName(nameOf(row), 28)}</text>`
    return markup`${name}<path class="span" d="M${coordinate(from)} ${level}H${coordinate(to)}"/>${marks}`
  })
  const title = markup`<text class="title" x="${AREA.width - AREA.right}" y="${height - 6}" text-anchor="end">latency (log scale)</text>`
  const keys = legend(MARKS.map(({ of, color }) => ({ color, look: 'area', label: of })))
  const content = markup`${grid}${lines}${title}`
  return markup`${keys}${drawing({ ...AREA, height }, 'Latency percentiles by endpoint', content)}`
}

/** The percentiles differ in shape as well as in colour, for readers who cannot distinguish the colours. */
function mark(of: (typeof MARKS)[number]['of'], color: string, x: number, y: number): Markup {
  const at = coordinate(x)
  if (of === 'p50') return markup`<circle class="fill ${color}" cx="${at}" cy="${y}" r="5"/>`
  if (of === 'p95') return markup`<path class="fill ${color}" d="M${at} ${y - 6}l6 10h-12Z"/>`
  if (of === 'p99') return markup`<path class="fill ${color}" d="M${at} ${y - 6}l6 6l-6 6l-6 -6Z"/>`
  return markup`<path class="line ${color}" d="M${at} ${y - 6}V${y + 6}"/>`
}
