import { shareWithin } from '../../domain/shares.js'
import type { ProxyServer } from '../../proxy/proxy-server.js'
import { statuses } from '../call/parts.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import { constantWeights, unservedWeight } from '../verdict/line-inputs.js'
import { verdictLines } from '../verdict/lines.js'
import { DROP_ORDER, numberColumn, type ShareFigures, shareColumns } from '../verdict/table.js'
import type { TargetTraffic } from './traffic.js'

type Service = ProxyServer['services'][number]

/** An endpoint of a target, with its calls. */
interface Row extends ShareFigures {
  /** Undefined unless there are several registries. */
  readonly registry: string | undefined
  readonly addr: string
  readonly outstanding: number
  readonly failures: Readonly<Record<string, number>>
  readonly note: string
}

export interface TargetLooks {
  readonly policy: string
  /** Calls per second, measured over about the last second. */
  readonly perSecond: number
  /** Maximum number of rows. */
  readonly most: number
}

/** Lines about one target: its state, the verdict on its traffic, and its endpoints. */
export function renderTarget(
  service: Service,
  traffic: TargetTraffic,
  { policy, perSecond, most }: TargetLooks,
  palette: Palette,
): { readonly lines: readonly string[]; readonly hidden: number } {
  const rows = rowsOf(service, traffic)
  const isUnknown = !service.hasList && rows.length === 0
  return {
    lines: [
      headline(service, traffic, rows, perSecond, palette),
      ...judgement(service, traffic, rows, policy, palette),
      ...(isUnknown ? [] : renderRows(traffic.calls, rows.slice(0, most), palette).split('\n')),
    ],
    hidden: Math.max(0, rows.length - most),
  }
}

function headline(
  { hasList, members, name }: Service,
  { calls, latency }: TargetTraffic,
  rows: readonly Row[],
  perSecond: number,
  palette: Palette,
): string {
  const all = [...members]
  const ready = all.filter(({ isReady }) => isReady).length
  const open = rows.reduce((sum, { outstanding }) => sum + outstanding, 0)
  const parts = [
    hasList ? `${count(all.length, 'endpoint')}, ${ready} READY` : 'no list yet',
    `${count(calls, 'call')}, ${open} open, ${Math.round(perSecond)}/s`,
    `p50 ${duration(latency.p50)}, p99 ${duration(latency.p99)}`,
  ]
  return `${palette.bold(visible(name.target))}  ${parts.join(' · ')}`
}

function judgement(
  { members }: Service,
  traffic: TargetTraffic,
  rows: readonly Row[],
  policy: string,
  palette: Palette,
): string[] {
  const { calls } = traffic
  const servable = [...members].filter(({ endpoint }) => endpoint.weight > 0)
  // Weights of several registries cannot be compared.
  const shareOf = shareWithin(servable.map(({ endpoint }) => endpoint.registration))
  const unserved = servable
    .filter(({ isReady }) => !isReady)
    .map(({ endpoint, problem }) => ({
      addr: endpoint.registration.addr,
      share: shareOf(endpoint.registration),
      problem: problem ?? 'connecting',
    }))
    // A registry that is not in use has no share.
    .filter(({ share }) => share > 0)
  const reservation = unservedWeight(unserved)
  const reservations = reservation === null ? [] : [reservation]
  const verdict = traffic.verdict()
  const judged = { policy, calls, weights: constantWeights(calls, rows), reservations }
  const { head, below } = verdictLines(verdict, judged, palette)
  const isInVerdict = calls > 0 && verdict.result === 'pass'
  return [
    head,
    ...(below.length === 0 ? [] : [`      ${below.join(' ')}`]),
    ...(isInVerdict ? [] : reservations.map((one) => palette.yellow(`! ${one}`))),
  ]
}

/** The endpoints of the list, then the endpoints that had calls and have left. */
function rowsOf({ members }: Service, traffic: TargetTraffic): Row[] {
  const { tallies } = traffic
  const listed = new Set<string>()
  const rows: Row[] = []
  for (const { endpoint, isReady, outstanding, problem } of members) {
    const { id, weight, registration } = endpoint
    listed.add(id)
    const { picks, expected } = tallies.get(id) ?? NO_PICKS
    const note = isReady ? '' : `not READY: ${problem ?? 'connecting'}`
    rows.push({
      registry: registration.origin?.registry,
      addr: registration.addr,
      weight,
      picks,
      expected,
      outstanding: outstanding.count,
      failures: traffic.failuresOf(id),
      note: weight === 0 ? 'drained' : note,
    })
  }
  for (const [id, { picks, expected }] of tallies) {
    const leaver = traffic.leaver(id)
    if (listed.has(id) || leaver === undefined) continue
    const failures = traffic.failuresOf(id)
    rows.push({ ...leaver, weight: 0, picks, expected, outstanding: 0, failures, note: 'left' })
  }
  return rows
}

const NO_PICKS = { picks: 0, expected: 0 }

function renderRows(calls: number, rows: readonly Row[], palette: Palette): string {
  if (rows.length === 0) return palette.dim('no endpoints')
  const isSeveral = rows.some(({ registry }) => registry !== undefined)
  const all: Column<Row>[] = [
    ...(isSeveral ? [{ head: 'REGISTRY', text: ({ registry = '' }: Row) => registry }] : []),
    ...shareColumns(calls, rows, ({ addr }) => addr, palette),
    numberColumn('OPEN', ({ outstanding }) => String(outstanding), DROP_ORDER.open),
    { head: 'ERR', text: ({ failures }) => statuses(failures) || '0', wraps: true },
    ...(rows.some(({ note }) => note !== '')
      ? [{ head: 'NOTE', text: ({ note }: Row) => note, wraps: true }]
      : []),
  ]
  return renderTable(rows, all, palette, { lines: 'one' })
}
