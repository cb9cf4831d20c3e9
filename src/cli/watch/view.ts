import { chosenOf, formatFilter } from '../../domain/endpoint-filter.js'
import { EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import type { WatchEvent } from '../../registry/events.js'
import { summarizeServices } from '../../registry/service-summary.js'
import { endpointsDoc } from '../endpoints/document.js'
import { renderEndpoints, renderLegend } from '../endpoints/table.js'
import type { Scope } from '../flags/target.js'
import { type Palette, uncolored } from '../terminal/color.js'
import { LiveScreen } from '../terminal/live-screen.js'
import { cropTable, ROWS_BESIDES_TABLE, type ScreenTable, sizeOf } from '../terminal/screen.js'
import type { EventDoc } from './document.js'
import { EventLog } from './line.js'
import { type Freshness, renderTitle } from './title.js'

/** The title of a stale list shows its age in seconds. */
const COUNT_PERIOD_MS = 1_000

/**
 * How fresh the list is, the endpoints as a table, and the log below. At the end the last table is printed with the
 * whole log.
 */
export class ScreenView {
  private readonly events: EventLog
  private readonly screen: LiveScreen
  private snapshot = EMPTY_SNAPSHOT
  private stale: { readonly since: Date; readonly fromMs: number } | null = null
  private counting: NodeJS.Timeout | undefined

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
    const legend = renderLegend(palette)
    this.screen = new LiveScreen(({ columns, rows }) => ({
      title: this.title(columns),
      table: this.table(rows),
      legend,
    }))
    this.screen.paint()
  }

  show({ event, snapshot }: WatchEvent, doc: EventDoc): void {
    this.snapshot = snapshot
    if (event.type === 'stale') this.goStale(event.sinceMs)
    else this.goLive()
    this.screen.add(this.events.line(doc, new Date()))
  }

  close(): void {
    clearInterval(this.counting)
    const { columns, rows } = sizeOf(process.stdout)
    const { log } = this.screen
    const left = [this.title(columns), ...cropTable(this.table(rows), rows - ROWS_BESIDES_TABLE), '', ...log]
    process.stdout.write(this.screen.leave(log.length === 0 ? [] : left))
  }

  private goStale(sinceMs: number): void {
    this.stale ??= { since: new Date(sinceMs), fromMs: performance.now() }
    this.counting ??= setInterval(() => this.screen.paint(), COUNT_PERIOD_MS)
  }

  private goLive(): void {
    this.stale = null
    clearInterval(this.counting)
    this.counting = undefined
  }

  private get freshness(): Freshness {
    if (this.stale) {
      const { since, fromMs } = this.stale
      return { type: 'stale', since, forMs: performance.now() - fromMs }
    }
    return { type: this.isEmpty ? 'connecting' : 'live' }
  }

  /** Before the first event. */
  private get isEmpty(): boolean {
    return this.screen.log.length === 0
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
    if (this.isEmpty) return NO_TABLE
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
