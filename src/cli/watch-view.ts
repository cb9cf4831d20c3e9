import { endpointsOf } from '../domain/snapshot.js'
import type { Told } from '../registry/events.js'
import type { Palette } from './color.js'
import { renderEndpoints } from './render/endpoints.js'
import { renderEvent } from './render/event.js'
import { enterScreen, frame, leaveScreen, sizeOf } from './render/screen.js'
import { endpointsDoc } from './schema/endpoints.js'
import type { EventDoc } from './schema/event.js'

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

/**
 * The endpoints as a table above the log, on the terminal's other screen: what was on the terminal before
 * comes back at the end, and the last frame is printed below it.
 */
export class ScreenView {
  private table: readonly string[] = []
  private log: string[] = []
  private readonly repaint = () => this.paint()

  constructor() {
    process.stdout.write(enterScreen)
    process.stdout.on('resize', this.repaint)
  }

  show({ snapshot }: Told, doc: EventDoc, palette: Palette): void {
    const list = { revision: snapshot.revision, endpoints: endpointsOf(snapshot) }
    const endpoints = endpointsDoc('', list, new Map())
    this.table = renderWatched(endpoints, palette)
    this.log = [...this.log, renderEvent(doc, new Date(), palette)].slice(-LOG_LINES)
    this.paint()
  }

  close(): void {
    process.stdout.off('resize', this.repaint)
    process.stdout.write(`${leaveScreen}${[...this.table, '', ...this.log].join('\n')}\n`)
  }

  private paint(): void {
    process.stdout.write(frame(this.table, this.log, sizeOf(process.stdout)))
  }
}

/** Time left moves without an event: a watched table does without it. */
function renderWatched(doc: Parameters<typeof renderEndpoints>[0], palette: Palette): string[] {
  return renderEndpoints(doc, palette, { withTtl: false }).split('\n')
}
