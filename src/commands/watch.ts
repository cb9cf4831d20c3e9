import { type BaseFlags, DiscoCommand, type PlaceIn } from '../cli/base-command.js'
import { placeFlags } from '../cli/flags/base.js'
import { integerFlag } from '../cli/flags/custom.js'
import { filterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { requireRegisteredIn } from '../cli/registries/parts.js'
import { StopSignals } from '../cli/stop-signals.js'
import { jsonLine } from '../cli/terminal/visible.js'
import { type EventDoc, eventDoc } from '../cli/watch/document.js'
import type { WatchEvent } from '../registry/events.js'

/** Events about the watch itself, not about an endpoint. */
const WATCH_STATES: ReadonlySet<string> = new Set(['synced', 'stale', 'resync'])

export default class Watch extends DiscoCommand {
  static override summary = 'Watch the endpoints of a service as they change'
  static override description =
    'On a terminal a table that repaints above a log of events. Its keys: arrows, PgUp, PgDn, Home and End scroll, / filters by a text (Enter keeps it, Esc shows all), s changes the order (address, weight, last change, state), q ends. NDJSON, one event a line, when piped or asked. -l, --host and addresses select: events of endpoints that met the selection before or after a change. Ends when the reader of its output has gone, at the next event.'
  static override examples = [
    '<%= config.bin %> watch hello',
    '<%= config.bin %> watch hello --count 1',
    '<%= config.bin %> watch hello -l version=2.0.0',
  ]
  static override readonly takesSeveral = true
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    count: integerFlag({
      min: 1,
      helpValue: '<events>',
      description: 'end after this many changes; synced, stale and resync do not count',
    }),
    ...filterFlags,
    ...placeFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch)
    const [target, ...addrs] = args.target ?? []
    const scopeIn = (place: PlaceIn) => readScope({ command: 'watch', target, addrs, flags, place })
    const scope = await scopeIn((layout) => this.place(flags, layout))
    const { service, filter } = scope
    const registries = await this.openRegistries(flags, async (place) => (await scopeIn(place)).place)
    await requireRegisteredIn(registries, scope)
    const { watchEach } = await import('../cli/watch/sources.js')
    using stop = new StopSignals()
    const { output } = this
    output.interruptBy(stop.once)
    output.collectLines()
    const quit = new AbortController()
    const signal = AbortSignal.any([stop.once, output.ended, quit.signal])
    const view = await this.viewFor(flags, scope, () => quit.abort())
    try {
      const heard = new Set<string | undefined>()
      let hasList = false
      let changes = 0
      for await (const watched of watchEach(registries, { service, filter }, signal)) {
        heard.add(watched.registry)
        hasList ||= watched.event.type !== 'stale'
        // Several registries are waited for as long as one answers.
        const isOutOfReach = !hasList && heard.size === registries.length
        if (isOutOfReach && watched.event.type === 'stale') throw watched.event.cause
        view.show(watched, eventDoc(watched, service, filter))
        if (!WATCH_STATES.has(watched.event.type)) changes++
        if (changes === flags.count) break
        // Backpressure: while the reader is slow, later changes stay in etcd.
        await output.drained()
      }
    } finally {
      view.close()
    }
    if (stop.once.aborted) process.exitCode = 130
  }

  private async viewFor(
    flags: BaseFlags,
    scope: Scope<string | undefined>,
    onQuit: () => void,
  ): Promise<{ show(event: WatchEvent, doc: EventDoc): void; close(): void }> {
    const format = this.format(flags, process.stdout.isTTY ? 'table' : 'ndjson')
    const out = (line: string) => this.out(line)
    if (format === 'json' || format === 'ndjson') {
      return { show: (_event, doc) => out(jsonLine(doc)), close: () => undefined }
    }
    const palette = this.palette(flags)
    if (process.stdout.isTTY && process.env.TERM !== 'dumb') {
      const { ScreenView } = await import('../cli/watch/view.js')
      return new ScreenView(scope, this.members(flags), palette, onQuit)
    }
    const { EventLog } = await import('../cli/watch/line.js')
    const log = new EventLog(palette)
    return { show: (_event, doc) => out(log.line(doc, new Date())), close: () => undefined }
  }
}
