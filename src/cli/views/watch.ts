import { EMPTY_SNAPSHOT, endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import type { Told } from '../../registry/events.js'
import { summarizeServices } from '../../registry/summary.js'
import type { Palette } from '../render/color.js'
import { renderEndpoints } from '../render/endpoints.js'
import { renderEvent } from '../render/event.js'
import { cropTable, enterScreen, frame, leaveScreen, type ScreenTable, sizeOf } from '../render/screen.js'
import { endpointsDoc } from '../schema/endpoints.js'
import type { EventDoc } from '../schema/event.js'

/** What a session of any length may keep of its log. */
const LOG_LINES = 1_000

/** One line an event. */
export class LogView {
  show(_told: Told, doc: EventDoc, palette: Palette): void {
    process.stdout.write(`${renderEvent(doc, new Date(), palette)}\n`)
  }

  close(): void {
    // Nothing was changed that would have to be put back.
  }
}

/** No eye follows more frames than twenty a second; a burst of events must not wait for theirs. */
const PAINT_PERIOD_MS = 50

/**
 * The endpoints as a table above the log, on the terminal's other screen: what was on the terminal before
 * comes back at the end, and the last table is printed below it with the whole log.
 */
export class ScreenView {
  private snapshot = EMPTY_SNAPSHOT
  private log: string[] = []
  private palette: Palette | null = null
  private timer: NodeJS.Timeout | undefined
  private paintedAtMs = Number.NEGATIVE_INFINITY
  private readonly repaint = () => this.paint()

  /** @param service undefined for all of them */
  constructor(private readonly service: string | undefined) {
    process.stdout.write(enterScreen)
    process.stdout.on('resize', this.repaint)
  }

  show({ snapshot }: Told, doc: EventDoc, palette: Palette): void {
    this.snapshot = snapshot
    this.palette = palette
    this.log.push(renderEvent(doc, new Date(), palette))
    if (this.log.length > LOG_LINES) this.log.shift()
    const waitMs = this.paintedAtMs + PAINT_PERIOD_MS - performance.now()
    this.timer ??= setTimeout(this.repaint, Math.max(0, waitMs))
  }

  close(): void {
    clearTimeout(this.timer)
    process.stdout.off('resize', this.repaint)
    const { rows } = sizeOf(process.stdout)
    const left = [...cropTable(this.table(rows), rows), '', ...this.log]
    process.stdout.write(`${leaveScreen}${left.join('\n')}\n`)
  }

  private paint(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const size = sizeOf(process.stdout)
    process.stdout.write(frame(this.table(size.rows), this.log, size))
    this.paintedAtMs = performance.now()
  }

  private table(rows: number): ScreenTable {
    return this.palette ? renderWatched(this.snapshot, this.service, this.palette, rows) : NO_TABLE
  }
}

const NO_TABLE: ScreenTable = { lines: [], hidden: 0 }

/** Time left moves without an event: a watched table does without it. @param most rows that are laid out */
function renderWatched(
  snapshot: Snapshot,
  service: string | undefined,
  palette: Palette,
  most: number,
): ScreenTable {
  const { revision } = snapshot
  const all = endpointsOf(snapshot)
  const services = service === undefined ? summarizeServices(all).services : [{ service, endpoints: all }]
  const docs = services.map(({ service, endpoints }) =>
    endpointsDoc(service, { revision, endpoints }, new Map()),
  )
  const looks = { withTtl: false, withService: service === undefined, most }
  const count = docs.reduce((sum, { endpoints }) => sum + endpoints.length, 0)
  return {
    lines: renderEndpoints(docs, palette, looks).split('\n'),
    hidden: Math.max(0, count - most),
  }
}
