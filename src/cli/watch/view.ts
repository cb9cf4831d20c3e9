import { chosenOf, formatFilter } from '../../domain/endpoint-filter.js'
import { EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import type { WatchEvent } from '../../registry/events.js'
import { summarizeServices } from '../../registry/service-summary.js'
import { withRegistry } from '../endpoints/combined.js'
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
  /** The list of each registry; the only one has no name. */
  private readonly snapshots = new Map<string | undefined, Snapshot>()
  /** Registries that are out of reach. */
  private readonly stale = new Map<string | undefined, { readonly since: Date; readonly fromMs: number }>()
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

  show({ event, snapshot, registry }: WatchEvent, doc: EventDoc): void {
    this.snapshots.set(registry, snapshot)
    if (event.type === 'stale') this.goStale(registry, event.sinceMs)
    else this.goLive(registry)
    this.screen.add(this.events.line(doc, new Date()))
  }

  close(): void {
    clearInterval(this.counting)
    const { columns, rows } = sizeOf(process.stdout)
    const { log } = this.screen
    const left = [this.title(columns), ...cropTable(this.table(rows), rows - ROWS_BESIDES_TABLE), '', ...log]
    process.stdout.write(this.screen.leave(log.length === 0 ? [] : left))
  }

  private goStale(registry: string | undefined, sinceMs: number): void {
    if (!this.stale.has(registry))
      this.stale.set(registry, { since: new Date(sinceMs), fromMs: performance.now() })
    this.counting ??= setInterval(() => this.screen.paint(), COUNT_PERIOD_MS)
  }

  private goLive(registry: string | undefined): void {
    this.stale.delete(registry)
    if (this.stale.size > 0) return
    clearInterval(this.counting)
    this.counting = undefined
  }

  private get freshness(): Freshness {
    const [outage] = this.stale.values()
    if (outage) {
      const { since, fromMs } = outage
      return { type: 'stale', since, forMs: performance.now() - fromMs }
    }
    return { type: this.isEmpty ? 'connecting' : 'live' }
  }

  /** Before the first event. */
  private get isEmpty(): boolean {
    return this.screen.log.length === 0
  }

  private title(columns: number): string {
    const { members, freshness } = this
    const { service, filter } = this.scope
    const snapshots = [...this.snapshots.values()]
    const { revision } = snapshots[0] ?? EMPTY_SNAPSHOT
    const endpoints = snapshots.reduce((sum, one) => sum + chosenOf(filter, endpointsOf(one)).length, 0)
    const selection = formatFilter(filter)
    return renderTitle({ service, selection, members, revision, endpoints, freshness }, columns, this.palette)
  }

  /** The rows of a stale list are dim throughout. */
  private table(rows: number): ScreenTable {
    if (this.isEmpty) return NO_TABLE
    const isLive = this.stale.size < this.snapshots.size
    if (isLive) return renderWatched(this.snapshots, this.scope, this.palette, rows)
    const { lines, hidden } = renderWatched(this.snapshots, this.scope, uncolored, rows)
    return { lines: lines.map((line) => this.palette.dim(line)), hidden }
  }
}

const NO_TABLE: ScreenTable = { lines: [], hidden: 0 }

/** Remaining times change without an event: a watched table omits them. @param most maximum number of rows */
function renderWatched(
  snapshots: ReadonlyMap<string | undefined, Snapshot>,
  { service, filter }: Pick<Scope<string | undefined>, 'service' | 'filter'>,
  palette: Palette,
  most: number,
): ScreenTable {
  const docs = [...snapshots].flatMap(([registry, { revision, byKey }]) => {
    const all = endpointsOf({ byKey })
    const services = service === undefined ? summarizeServices(all).services : [{ service, endpoints: all }]
    return services.map(({ service, endpoints }) =>
      withRegistry(registry ?? null, endpointsDoc(service, { revision, endpoints }, null, undefined, filter)),
    )
  })
  const looks = { withTtl: false, withService: service === undefined, most }
  const count = docs.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
  return {
    lines: renderEndpoints(docs, palette, looks).split('\n'),
    hidden: Math.max(0, count - most),
  }
}
