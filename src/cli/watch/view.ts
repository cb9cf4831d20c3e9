import { formatFilter } from '../../domain/endpoint-filter.js'
import { EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import type { WatchEvent } from '../../registry/events.js'
import { summarizeServices } from '../../registry/service-summary.js'
import { withRegistry } from '../endpoints/combined.js'
import { endpointsDoc } from '../endpoints/document.js'
import { type EndpointRow, renderRows, rowsOf } from '../endpoints/table.js'
import type { Scope } from '../flags/target.js'
import { type Palette, withoutColors } from '../terminal/color.js'
import type { Key } from '../terminal/keys.js'
import { type Content, LiveScreen } from '../terminal/live-screen.js'
import { ROWS_BESIDES_TABLE, type Size, sizeOf } from '../terminal/screen.js'
import { type Controls, NO_CONTROLS, type Page, press } from './controls.js'
import type { EventDoc } from './document.js'
import { renderControls } from './legend.js'
import { EventLog } from './line.js'
import { filtered, rowId, sorted, visibleRows } from './rows.js'
import { type Freshness, renderTitle } from './title.js'

/** The title of a stale list is painted each second, because it shows the seconds since the outage began. */
const COUNT_PERIOD_MS = 1_000

/** The number of changed rows to remember: more than a screen has. */
const MOST_CHANGED = 200

/**
 * The screen of a watch: a title with the freshness of the list, the table of endpoints, and the log. Keys scroll,
 * filter and sort the table. At the end, the last table and the kept lines of the log are printed.
 */
export class ScreenView {
  private readonly events: EventLog
  private readonly screen: LiveScreen
  /** The list of each registry by its name; the name of a single registry is undefined. */
  private readonly snapshots = new Map<string | undefined, Snapshot>()
  /** Registries that cannot be reached. */
  private readonly stale = new Map<string | undefined, { readonly since: Date; readonly fromMs: number }>()
  private counting: NodeJS.Timeout | undefined
  private controls: Controls = NO_CONTROLS
  private page: Page = { top: 0, shown: 0, rows: 0 }
  /** Ids of the rows that changed, the latest last. */
  private readonly changed = new Set<string>()

  /**
   * @param scope the watched service, or all services
   * @param members the etcd members, as the user named them
   * @param onQuit called when the user ends the watch by a key
   */
  constructor(
    private readonly scope: Pick<Scope<string | undefined>, 'service' | 'filter'>,
    private readonly members: readonly string[],
    private readonly palette: Palette,
    private readonly onQuit: () => void,
  ) {
    this.events = new EventLog(palette)
    this.screen = new LiveScreen((size) => this.draw(size), { onKey: (key) => this.press(key) })
    this.screen.paint()
  }

  show({ event, snapshot, registry }: WatchEvent, doc: EventDoc): void {
    this.snapshots.set(registry, snapshot)
    if (event.type === 'stale') this.goStale(registry, event.sinceMs)
    else this.goLive(registry)
    if ('endpoint' in event) this.keepVisible(rowId(registry, event.endpoint.key, event.endpoint.addr))
    this.screen.add(this.events.line(doc, new Date()))
  }

  close(): void {
    clearInterval(this.counting)
    const { log } = this.screen
    this.controls = { ...this.controls, draft: null }
    const { title, table } = this.draw(sizeOf(process.stdout))
    const left = [title, ...table.lines, '', ...log]
    process.stdout.write(this.screen.leave(log.length === 0 ? [] : left))
  }

  private press(key: Key): void {
    const next = press(this.controls, key, this.page)
    if (next === 'quit') {
      this.onQuit()
      return
    }
    this.controls = next
    // Update the page now, because the next key may arrive before the next frame.
    this.page = { ...this.page, top: next.top }
    this.screen.refresh()
  }

  private keepVisible(id: string): void {
    this.changed.delete(id)
    this.changed.add(id)
    const [oldest] = this.changed
    if (this.changed.size > MOST_CHANGED && oldest !== undefined) this.changed.delete(oldest)
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
    return { type: this.hasNoList ? 'connecting' : 'live' }
  }

  /** Whether no event has arrived. */
  private get hasNoList(): boolean {
    return this.screen.log.length === 0
  }

  private draw({ columns, rows }: Size): Content {
    const all = this.hasNoList ? [] : watchedRows(this.snapshots, this.scope)
    const { controls, palette } = this
    const matching = sorted(filtered(all, controls.draft ?? controls.filter), controls.sort)
    // The head of the table takes one line.
    const room = Math.max(0, rows - ROWS_BESIDES_TABLE - 1)
    const shown = visibleRows(matching, room, controls.top, this.changed)
    this.page = { top: shown.above, shown: shown.rows.length, rows: matching.length }
    const counted = { matching: matching.length, all: all.length }
    return {
      title: this.title(columns, all.length),
      table: { lines: [...this.lines(shown.rows, room), ...hiddenLine(shown)], hidden: 0 },
      legend: renderControls(controls, counted, this.screen.hasKeys, columns, palette),
    }
  }

  private title(columns: number, endpoints: number): string {
    const { members, freshness } = this
    const { service, filter } = this.scope
    const [snapshot = EMPTY_SNAPSHOT] = this.snapshots.values()
    const { revision } = snapshot
    const selection = formatFilter(filter)
    return renderTitle({ service, selection, members, revision, endpoints, freshness }, columns, this.palette)
  }

  /** The lines of the table, without TTLs, which change without events. If all lists are stale, the lines are dim. */
  private lines(rows: readonly EndpointRow[], room: number): readonly string[] {
    if (this.hasNoList || room === 0) return []
    const withService = this.scope.service === undefined
    const looks = { withTtl: false, withService, lines: 'one' } as const
    const isLive = this.stale.size < this.snapshots.size
    if (isLive) return renderRows(rows, this.palette, looks).split('\n')
    const lines = renderRows(rows, withoutColors(this.palette), looks).split('\n')
    return lines.map((line) => this.palette.dim(line))
  }
}

function hiddenLine({ above, hidden }: { readonly above: number; readonly hidden: number }): string[] {
  if (hidden === 0) return []
  return [above === 0 ? `… ${hidden} more` : `… ${above} above, ${hidden - above} below`]
}

function watchedRows(
  snapshots: ReadonlyMap<string | undefined, Snapshot>,
  { service, filter }: Pick<Scope<string | undefined>, 'service' | 'filter'>,
): EndpointRow[] {
  const docs = [...snapshots].flatMap(([registry, { revision, byKey }]) => {
    const all = endpointsOf({ byKey })
    const services = service === undefined ? summarizeServices(all).services : [{ service, endpoints: all }]
    return services.map(({ service, endpoints }) =>
      withRegistry(registry ?? null, endpointsDoc(service, { revision, endpoints }, null, undefined, filter)),
    )
  })
  return rowsOf(docs)
}
