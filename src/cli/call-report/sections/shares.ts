import type { CallDoc } from '../../call/document.js'
import { statuses } from '../../call/parts.js'
import { sharePanels } from '../charts/share-panels.js'
import { shareStack } from '../charts/share-stack.js'
import { type Column, durationFigure, figure, percentFigure, table, wholeFigure } from '../figures.js'
import { type Markup, markup, NOTHING } from '../markup.js'
import { nameOf, type ShownRun, shortName } from '../shown-run.js'

/** Maximum number of rows, so that the file stays small; JSON has all of them. */
const MAX_ROWS = 1_000
/** Maximum length of a name, in characters, so that the file stays small: a registry allows very long names. */
const MAX_NAME = 120

/** Shares against expectation: over time, and of the whole run by endpoint, version and registry. */
export function sharesSection(run: ShownRun): Markup {
  const { doc, drawn, others } = run
  const endMs = Math.max(doc.elapsedMs, 1e-3)
  const charts =
    drawn.length === 0
      ? NOTHING
      : markup`<h3>Over time</h3>${shareStack(run, endMs)}<h3>Endpoint by endpoint</h3>${
          others > 0
            ? markup`<p class="note">The ${drawn.length} endpoints with the most expected calls, and the others together.</p>`
            : NOTHING
        }${sharePanels(run, endMs)}`
  return markup`<section><h2>Shares</h2>${charts}<h3>Whole run</h3>${versions(doc)}${registries(doc)}${endpoints(doc)}</section>`
}

type ShareRow = Pick<CallDoc['endpoints'][number], 'picks' | 'expected' | 'latencyMs' | 'failures' | 'errors'>

function shareColumns(calls: number): Column<ShareRow>[] {
  return [
    { head: 'Calls', isNumber: true, cell: ({ picks }) => wholeFigure(picks) },
    { head: 'Expected', isNumber: true, cell: ({ expected }) => figure(expected, expected.toFixed(1)) },
    { head: 'Share', isNumber: true, cell: ({ picks }) => percentFigure(picks, calls) },
    { head: 'Expected share', isNumber: true, cell: ({ expected }) => percentFigure(expected, calls) },
    ...(['p50', 'p95', 'p99', 'max'] as const).map(
      (of): Column<ShareRow> => ({
        head: of,
        isNumber: true,
        cell: ({ latencyMs }) => durationFigure(latencyMs[of]),
      }),
    ),
    {
      head: 'Failed',
      isNumber: true,
      cell: ({ errors, failures }) =>
        errors === 0 ? wholeFigure(0) : markup`${wholeFigure(errors)} <small>${statuses(failures)}</small>`,
    },
  ]
}

function endpoints({ endpoints: all, calls }: CallDoc): Markup {
  const rows = all.slice(0, MAX_ROWS)
  const where = (shown: boolean, column: Column<CallDoc['endpoints'][number]>) => (shown ? [column] : [])
  const shown = table<CallDoc['endpoints'][number]>('endpoints', rows, [
    { head: 'Endpoint', cell: (row) => markup`<bdi>${shortName(nameOf(row), MAX_NAME)}</bdi>` },
    { head: 'Version', cell: ({ version }) => shortName(version, MAX_NAME) },
    { head: 'Weight', isNumber: true, cell: ({ weight }) => wholeFigure(weight) },
    ...shareColumns(calls),
    ...where(
      rows.some(({ reconnects }) => reconnects > 0),
      { head: 'Reconnects', cell: ({ reconnectReasons }) => statuses(reconnectReasons) },
    ),
    ...where(
      rows.some(({ note }) => note !== null),
      { head: 'Note', cell: ({ note }) => shortName(note ?? '', MAX_NAME) },
    ),
  ])
  const more = all.length - rows.length
  return more > 0 ? markup`${shown}<p class="note">${more} more endpoints: see --json.</p>` : shown
}

function versions({ versions: all, calls }: CallDoc): Markup {
  if (all.length === 0) return NOTHING
  return table<CallDoc['versions'][number]>('versions', all.slice(0, MAX_ROWS), [
    { head: 'Version', cell: ({ version }) => version || '(none)' },
    { head: 'Endpoints', isNumber: true, cell: ({ endpoints: count }) => wholeFigure(count) },
    { head: 'Weight', isNumber: true, cell: ({ weight }) => wholeFigure(weight) },
    ...shareColumns(calls),
  ])
}

function registries({ registries: all = [], calls }: CallDoc): Markup {
  if (all.length === 0) return NOTHING
  return table<NonNullable<CallDoc['registries']>[number]>('registries', all, [
    { head: 'Registry', cell: ({ registry }) => registry },
    { head: 'Revision', cell: ({ rev }) => rev ?? 'no list' },
    { head: 'Endpoints', isNumber: true, cell: ({ endpoints: count }) => wholeFigure(count) },
    ...shareColumns(calls),
    { head: 'Note', cell: ({ problem }) => (problem === null ? '' : `STALE: ${problem}`) },
  ])
}
