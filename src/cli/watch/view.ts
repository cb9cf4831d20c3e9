import { chosenOf, formatFilter } from '../../domain/endpoint-filter.js'
import { EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import type { WatchEvent } from '../../registry/events.js'
import { summarizeServices } from '../../registry/service-summary.js'
import { endpointsDoc } from '../endpoints/document.js'
import { renderEndpoints, renderLegend } from '../endpoints/table.js'
import type { Scope } from '../flags/target.js'
import { type Palette, uncolored } from '../terminal/color.js'
import {
  cropTable,
  enterScreen,
  frame,
  leaveScreen,
  ROWS_BESIDES_TABLE,
  type ScreenTable,
  sizeOf,
} from '../terminal/screen.js'
import type { EventDoc } from './document.js'
import { EventLog } from './line.js'
import { type Freshness, renderTitle } from './title.js'

/** Older lines of the log are dropped, so that a long session does not grow. */
const LOG_LINES = 1_000

/** At most twenty frames a second: a burst of events is painted once. */
const PAINT_PERIOD_MS = 50

/** The title of a stale list shows its age in seconds. */
const COUNT_PERIOD_MS = 1_000

/**
 * How fresh the list is, the endpoints as a table, and the log below, on the terminal's other screen: what was on
 * the terminal before comes back at the end, and the last table is printed below it with the whole log.
 */
export class ScreenView {
  private readonly events: EventLog
  private snapshot = EMPTY_SNAPSHOT
  private log: string[] = []
  private stale: { readonly since: Date; readonly fromMs: number } | null = null
  private timer: NodeJS.Timeout | undefined
  private counting: NodeJS.Timeout | undefined
  private paintedAtMs = Number.NEGATIVE_INFINITY
  private readonly repaint = () => this.paint()

  /**
   * @param scope without a service: all of them
   * @param members of etcd, as the user named them
   */
  constructor(
    private readonly scope: Pick<Scope<string | undefined>, 'service' | 'filter'>,
    private readonly members: readonly string[],
    private readonly palette: Palette,
  ) {
    this.events = new EventLog(palette)
    process.stdout.write(enterScreen)
    process.stdout.on('resize', this.repaint)
    this.paint()
  }

  show({ event, snapshot }: WatchEvent, doc: EventDoc): void {
    this.snapshot = snapshot
    if (event.type === 'stale') this.goStale(event.sinceMs)
    else this.goLive()
    this.log.push(this.events.line(doc, new Date()))
    if (this.log.length > LOG_LINES) this.log.shift()
    const waitMs = this.paintedAtMs + PAINT_PERIOD_MS - performance.now()
    this.timer ??= setTimeout(this.repaint, Math.max(0, waitMs))
  }

  close(): void {
    clearTimeout(this.timer)
    clearInterval(this.counting)
    process.stdout.off('resize', this.repaint)
    const { columns, rows } = sizeOf(process.stdout)
    const left = [
      this.title(columns),
      ...cropTable(this.table(rows), rows - ROWS_BESIDES_TABLE),
      '',
      ...this.log,
    ]
    process.stdout.write(leaveScreen + (this.log.length === 0 ? '' : `${left.join('\n')}\n`))
  }

  private goStale(sinceMs: number): void {
    this.stale ??= { since: new Date(sinceMs), fromMs: performance.now() }
    this.counting ??= setInterval(this.repaint, COUNT_PERIOD_MS)
  }

  private goLive(): void {
    this.stale = null
    clearInterval(this.counting)
    this.counting = undefined
  }

  private paint(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const size = sizeOf(process.stdout)
    const title = this.title(size.columns)
    const legend = renderLegend(this.palette)
    process.stdout.write(frame({ title, table: this.table(size.rows), legend, log: this.log }, size))
    this.paintedAtMs = performance.now()
  }

  private get freshness(): Freshness {
    if (this.stale) {
      const { since, fromMs } = this.stale
      return { type: 'stale', since, forMs: performance.now() - fromMs }
    }
    return { type: this.log.length === 0 ? 'connecting' : 'live' }
  }

  private title(columns: number): string {
    const { members, freshness, snapshot } = this
    const { service, filter } = this.scope
    const { revision } = snapshot
    const endpoints = chosenOf(filter, endpointsOf(snapshot)).length
    const selection = formatFilter(filter)
    return renderTitle({ service, selection, members, revision, endpoints, freshness }, columns, this.palette)
  }

  /** The rows of a stale list are dim throughout. */
  private table(rows: number): ScreenTable {
    if (this.log.length === 0) return NO_TABLE
    if (!this.stale) return renderWatched(this.snapshot, this.scope, this.palette, rows)
    const { lines, hidden } = renderWatched(this.snapshot, this.scope, uncolored, rows)
    return { lines: lines.map((line) => this.palette.dim(line)), hidden }
  }
}

const NO_TABLE: ScreenTable = { lines: [], hidden: 0 }

/** Remaining times change without an event: a watched table omits them. @param most maximum number of rows */
function renderWatched(
  snapshot: Snapshot,
  { service, filter }: Pick<Scope<string | undefined>, 'service' | 'filter'>,
  palette: Palette,
  most: number,
): ScreenTable {
  const { revision } = snapshot
  const all = endpointsOf(snapshot)
  const services = service === undefined ? summarizeServices(all).services : [{ service, endpoints: all }]
  const docs = services.map(({ service, endpoints }) =>
    endpointsDoc(service, { revision, endpoints }, null, undefined, filter),
  )
  const looks = { withTtl: false, withService: service === undefined, most }
  const count = docs.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
  return {
    lines: renderEndpoints(docs, palette, looks).split('\n'),
    hidden: Math.max(0, count - most),
  }
}
