import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { requireServiceName } from '../cli/flags/arguments.js'
import { placeFlags } from '../cli/flags/base.js'
import { argument, integerFlag } from '../cli/flags/custom.js'
import { StopSignals } from '../cli/stop-signals.js'
import { jsonLine } from '../cli/terminal/visible.js'
import { type EventDoc, eventDoc } from '../cli/watch/document.js'
import type { WatchEvent } from '../registry/events.js'

/** Events about the watch itself, not about an endpoint. */
const WATCH_STATES: ReadonlySet<string> = new Set(['synced', 'stale', 'resync'])

export default class Watch extends DiscoCommand {
  static override summary = 'Watch the endpoints of a service as they change'
  static override description =
    'On a terminal a table that repaints above a log of events; NDJSON, one event a line, when piped or asked. Ends when the reader of its output has gone, at the next event.'
  static override examples = ['<%= config.bin %> watch hello', '<%= config.bin %> watch hello --count 1']
  static override args = { service: argument({ description: 'the service; without one, all' }) }
  static override flags = {
    count: integerFlag({
      min: 1,
      helpValue: '<events>',
      description: 'end after so many changes; synced, stale and resync do not count',
    }),
    ...placeFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch)
    const { layout } = this.place(flags)
    const service = args.service === undefined ? undefined : requireServiceName(args.service, layout)
    const registry = await this.openRegistry(flags)
    const { registryEvents } = await import('../registry/events.js')
    using stop = new StopSignals()
    const { output } = this
    output.interruptBy(stop.once)
    const signal = AbortSignal.any([stop.once, output.ended])
    const updates = registry.follow(service, signal)
    const view = await this.viewFor(flags, service)
    try {
      let isFirst = true
      let changes = 0
      for await (const watched of registryEvents(registry, updates)) {
        if (isFirst && watched.event.type === 'stale') throw watched.event.cause
        isFirst = false
        view.show(watched, eventDoc(watched, service))
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
    service: string | undefined,
  ): Promise<{ show(event: WatchEvent, doc: EventDoc): void; close(): void }> {
    const format = this.format(flags, process.stdout.isTTY ? 'table' : 'ndjson')
    const out = (line: string) => this.out(line)
    if (format === 'json' || format === 'ndjson') {
      return { show: (_event, doc) => out(jsonLine(doc)), close: () => undefined }
    }
    const palette = this.palette(flags)
    if (process.stdout.isTTY && process.env.TERM !== 'dumb') {
      const { ScreenView } = await import('../cli/watch/view.js')
      return new ScreenView(service, this.members(flags), palette)
    }
    const { EventLog } = await import('../cli/watch/line.js')
    const log = new EventLog(palette)
    return { show: (_event, doc) => out(log.line(doc, new Date())), close: () => undefined }
  }
}
