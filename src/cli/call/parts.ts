import { type AssertionResult, unitOf } from '../../stats/assertion.js'
import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { count, duration, percent } from '../terminal/units.js'
import { jsonLine, visible } from '../terminal/visible.js'
import { DROP_ORDER } from '../verdict/table.js'
import type { CallChangeDoc, CallDoc, FailoverDoc, ReconnectDoc } from './document.js'

/** Maximum number of changes in a report. */
const MAX_LINES = 20
const BAR_WIDTH = 40

/** `3 UNAVAILABLE, 1 INTERNAL`; empty without failures. */
export function statuses(failures: Readonly<Record<string, number>>): string {
  return Object.entries(failures)
    .map(([status, calls]) => `${calls} ${status}`)
    .join(', ')
}

/** A table with a row for each version, if there are several. It shows the share of a canary. */
export function renderVersions({ versions, calls }: CallDoc, palette: Palette): string[] {
  if (versions.length === 0) return []
  const share = (picks: number) => percent(picks / Math.max(1, calls))
  const table = renderTable(
    versions,
    [
      { head: 'VERSION', text: ({ version }) => version || '(none)' },
      { head: 'ENDPOINTS', align: 'right', text: ({ endpoints }) => String(endpoints), dropOrder: 1 },
      { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight), dropOrder: DROP_ORDER.weight },
      { head: 'CALLS', align: 'right', text: ({ picks }) => String(picks), dropOrder: DROP_ORDER.calls },
      { head: 'OBSERVED', align: 'right', text: ({ picks }) => share(picks) },
      { head: 'EXPECTED', align: 'right', text: ({ expected }) => share(expected) },
      {
        head: 'p50',
        align: 'right',
        text: ({ latencyMs }) => duration(latencyMs.p50),
        dropOrder: DROP_ORDER.p50,
      },
      {
        head: 'p99',
        align: 'right',
        text: ({ latencyMs }) => duration(latencyMs.p99),
        dropOrder: DROP_ORDER.p99,
      },
      { head: 'ERR', text: ({ failures }) => statuses(failures) || '0', wraps: true },
    ],
    palette,
  )
  return [table, '']
}

/** A table with a row for each of several registries: its share of the calls, and its state. */
export function renderRegistries({ registries = [], calls }: CallDoc, palette: Palette): string[] {
  if (registries.length === 0) return []
  const share = (picks: number) => percent(picks / Math.max(1, calls))
  const table = renderTable(
    registries,
    [
      { head: 'REGISTRY', text: ({ registry }) => registry },
      { head: 'ENDPOINTS', align: 'right', text: ({ endpoints }) => String(endpoints), dropOrder: 1 },
      { head: 'CALLS', align: 'right', text: ({ picks }) => String(picks), dropOrder: DROP_ORDER.calls },
      { head: 'OBSERVED', align: 'right', text: ({ picks }) => share(picks) },
      { head: 'EXPECTED', align: 'right', text: ({ expected }) => share(expected) },
      {
        head: 'p50',
        align: 'right',
        text: ({ latencyMs }) => duration(latencyMs.p50),
        dropOrder: DROP_ORDER.p50,
      },
      { head: 'ERR', text: ({ failures }) => statuses(failures) || '0', wraps: true },
      { head: 'NOTE', text: ({ problem }) => (problem === null ? '' : `STALE: ${problem}`), wraps: true },
    ],
    palette,
  )
  return [table, ...spillOver(registries, palette), '']
}

/** A line for each registry of a lower priority that got calls. */
function spillOver(registries: NonNullable<CallDoc['registries']>, palette: Palette): string[] {
  return registries
    .filter(({ spilledOver }) => spilledOver)
    .map(({ registry, priority, picks }) => {
      const better = registries.filter((one) => one.priority < priority).map((one) => one.registry)
      const why = `while no endpoint of ${better.join(' or ')} was READY`
      return palette.yellow(`! spilled over to ${visible(registry)}: ${count(picks, 'call')}, ${why}`)
    })
}

/** Lines about endpoints that joined, left or got another weight, about picks of removed ones, and about reconnects. */
export function renderChanges(doc: CallDoc): string[] {
  const { changes, changesLeftOut, failovers, reconnects, reconnectsLeftOut } = doc
  const lines = [...changes.map(changeLine), ...failovers.map(failoverLine), ...reconnects.map(reconnectLine)]
  if (lines.length === 0) return []
  const more = Math.max(0, lines.length - MAX_LINES) + changesLeftOut + reconnectsLeftOut
  return [
    ...lines.slice(0, MAX_LINES),
    ...(more > 0 ? [`… ${count(more, 'more change')}, see --json`] : []),
    '',
  ]
}

function changeLine({ type, addr, atCall, atMs, from, to, reason }: CallChangeDoc): string {
  const when = `at call ${atCall} (${duration(atMs)})`
  if (type === 'joined') return `+ ${visible(addr)} joined ${when}, weight ${to}`
  if (type === 'left') return `- ${visible(addr)} left ${when}: ${visible(reason ?? '')}`
  return `~ ${visible(addr)} weight ${from} → ${to} ${when}`
}

function reconnectLine({ addr, atCall, atMs, reason, downMs }: ReconnectDoc): string {
  const back = downMs === null ? 'not READY again' : `READY again after ${duration(downMs)}`
  return `↻ ${visible(addr)} reconnected at call ${atCall} (${duration(atMs)}): ${visible(reason)}; ${back}`
}

function failoverLine({ addr, atMs, lastPickMs, picksAfter }: FailoverDoc): string {
  const after =
    lastPickMs === null
      ? 'never picked'
      : picksAfter > 0
        ? `last picked ${duration(lastPickMs)} later, ${count(picksAfter, 'pick')} in between`
        : `not picked after it; last ${duration(-lastPickMs)} before`
  return `- ${visible(addr)} gone from the registry at ${duration(atMs)}: ${after}`
}

/** The first failure with its error details, because a status alone rarely explains a failure. */
export function renderFirstFailure({ firstFailure }: CallDoc, palette: Palette): string[] {
  if (!firstFailure) return []
  const { n, addr, status, details, errorDetails } = firstFailure
  return [
    `${palette.red('✗')} first failure: call ${n} at ${visible(addr ?? 'no endpoint')}: ${status}: ${visible(details)}`,
    ...errorDetails.map((detail) => `  ${jsonLine(detail)}`),
  ]
}

/** Distribution of the latencies: a bar for each band. */
export function renderHistogram({ histogram, calls }: CallDoc, palette: Palette): string {
  const most = Math.max(1, ...histogram.map((band) => band.calls))
  return renderTable(
    histogram,
    [
      { head: 'UP TO', align: 'right', text: ({ toMs }) => duration(toMs) },
      { head: 'CALLS', align: 'right', text: (band) => String(band.calls) },
      { head: 'PART', align: 'right', text: (band) => percent(band.calls / Math.max(1, calls)) },
      {
        head: '',
        dropOrder: DROP_ORDER.bars,
        text: (band) => '█'.repeat(Math.ceil((band.calls / most) * BAR_WIDTH)),
        paint: (_, text) => palette.cyan(text),
      },
    ],
    palette,
  )
}

/** Each assertion with the measured value, in the assertion's unit. */
export function renderAssertions({ assertions }: CallDoc, palette: Palette): string[] {
  return assertions.map((result) => {
    const mark = result.holds ? palette.green('✓') : palette.red('✗')
    return `${mark} ${result.assertion}: ${measuredText(result)}`
  })
}

/** The measured value of an assertion: `it is 1.2%`, of calls per second `it is 120`, `it is 12.0ms`, or `too few calls`. */
export function measuredText(result: AssertionResult): string {
  const { actual } = result
  if (actual === null) return 'too few calls'
  const unit = unitOf(result)
  return `it is ${unit === 'fraction' ? percent(actual) : unit === 'ms' ? duration(actual) : actual.toFixed(0)}`
}
