import { Flags, type Interfaces } from '@oclif/core'
import type { GroupStop } from '../agent/processes/group-run.js'
import { DiscoCommand, type OpenRegistries, type PlaceIn } from '../cli/base-command.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { integerFlag, refuseIneffective, textFlag } from '../cli/flags/custom.js'
import { filterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { noneReadable, requireRegisteredIn } from '../cli/registries/parts.js'
import { StopSignals } from '../cli/stop-signals.js'
import { type EventDoc, eventDoc } from '../cli/watch/document.js'
import { DiscoError } from '../domain/errors.js'
import type { WatchEvent } from '../registry/events.js'

/** Events about the watch itself, not about an endpoint. */
const WATCH_STATES: ReadonlySet<string> = new Set(['synced', 'stale', 'resync'])

export default class Watch extends DiscoCommand {
  static override summary = 'Watch the endpoints of a service as they change'
  static override description =
    'On a terminal, shows a table that repaints above a log of events. Its keys: arrows, PgUp, PgDn, Home and End scroll, / filters by a text (Enter keeps it, Esc shows all), s changes the order (address, weight, last change, state), q ends. When piped, or with -o ndjson, prints NDJSON, one event a line. -l, --host and addresses select events of endpoints that match before or after the change. --since begins at a past revision, and replays the changes since. --exec runs a command for the first list and each change, one at a time: the event is on its standard input, and in DISCO_TYPE, DISCO_SERVICE, DISCO_ADDR, DISCO_REV, DISCO_FROM and DISCO_TO; DISCO_SNAPSHOT_FILE is a file with the list. Events are then lines on standard error; with -o ndjson they are NDJSON on standard output, and the output of the command goes to standard error. After the reader of the output has gone, watch ends at the next event.'
  static override examples = [
    '<%= config.bin %> watch hello',
    '<%= config.bin %> watch hello --count 1',
    '<%= config.bin %> watch hello -l version=2.0.0',
    `<%= config.bin %> watch hello --latest --exec './reload.sh "$DISCO_SNAPSHOT_FILE"'`,
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
    since: integerFlag({
      min: 1,
      helpValue: '<revision>',
      description: 'begin with the list of this revision, and the changes since',
    }),
    exec: textFlag({
      helpValue: '<command>',
      description: 'shell command to run for the first list and each change, in order, one at a time',
    }),
    latest: Flags.boolean({
      description: 'with --exec: run once for all changes during the last run, with the newest list',
    }),
    ...filterFlags,
    ...placeFlags,
  }

  async run(): Promise<void> {
    const { args, flags, metadata } = await this.parse(Watch)
    if (flags.exec === undefined) refuseIneffective({ flags, metadata }, ['latest'], 'without --exec')
    const [target, ...addrs] = args.target ?? []
    const scopeIn = (place: PlaceIn) => readScope({ command: 'watch', target, addrs, flags, place })
    const scope = await scopeIn((layout) => this.place(flags, layout))
    const { service, filter } = scope
    const registries = await this.openRegistries(flags, async (place) => (await scopeIn(place)).place)
    if (flags.since !== undefined) refuseSeveral(registries)
    await requireRegisteredIn(registries, scope)
    const { watchEach } = await import('../cli/watch/sources.js')
    using stop = new StopSignals()
    const { output } = this
    output.interruptBy(stop.once)
    output.collectLines()
    const quit = new AbortController()
    const signal = AbortSignal.any([stop.once, output.ended, quit.signal])
    await using exec = await this.execFor(flags, scope, { stop: signal, killNow: stop.twice })
    const view = await this.viewFor(flags, scope, () => quit.abort())
    try {
      const outages = new Map<string | undefined, DiscoError>()
      let hasList = false
      let changes = 0
      for await (const watched of watchEach(registries, { service, filter, since: flags.since }, signal)) {
        if (watched.event.type === 'stale') outages.set(watched.registry, watched.event.cause)
        hasList ||= watched.event.type !== 'stale'
        // Ends only if no registry has answered.
        if (!hasList && outages.size === registries.length) throw noneReadable(inOrder(registries, outages))
        const doc = eventDoc(watched, service, filter)
        view.show(watched, doc)
        await exec?.on(watched, doc)
        if (!WATCH_STATES.has(watched.event.type)) changes++
        if (changes === flags.count) break
        // Backpressure: while the reader is slow, later changes stay in etcd.
        await output.drained()
      }
      await exec?.idle()
    } finally {
      view.close()
    }
    if (stop.once.aborted) process.exitCode = 130
  }

  /** Null without --exec. */
  private async execFor(flags: WatchFlags, scope: Scope<string | undefined>, stop: GroupStop) {
    if (flags.exec === undefined) return null
    const { WatchExec } = await import('../cli/watch/exec.js')
    const settings = {
      command: flags.exec,
      isLatest: flags.latest,
      // Standard output has either the events or the output of the command.
      stdout: this.hasEventsOnly(flags) ? (2 as const) : (1 as const),
    }
    return await WatchExec.open(settings, scope, stop, {
      remark: (line) => this.remark(line),
      palette: this.palette(flags, process.stderr),
    })
  }

  private hasEventsOnly(flags: BaseFlags): boolean {
    return ['json', 'ndjson'].includes(this.format(flags))
  }

  private async viewFor(
    flags: WatchFlags,
    scope: Scope<string | undefined>,
    onQuit: () => void,
  ): Promise<{ show(event: WatchEvent, doc: EventDoc): void; close(): void }> {
    const isExec = flags.exec !== undefined
    const format = this.format(flags, process.stdout.isTTY || isExec ? 'table' : 'ndjson')
    if (format === 'json' || format === 'ndjson') {
      const writer = this.writer(flags)
      return { show: (_event, doc) => this.out(writer.line(doc)), close: () => undefined }
    }
    const palette = this.palette(flags, isExec ? process.stderr : process.stdout)
    if (!isExec && process.stdout.isTTY && process.env.TERM !== 'dumb') {
      const { ScreenView } = await import('../cli/watch/view.js')
      return new ScreenView(scope, this.members(flags), palette, onQuit)
    }
    const { EventLog } = await import('../cli/watch/line.js')
    const log = new EventLog(palette)
    const write = (line: string) => (isExec ? this.remark(line) : this.outText(flags, line))
    return { show: (_event, doc) => write(log.line(doc, new Date())), close: () => undefined }
  }
}

type WatchFlags = BaseFlags & Interfaces.InferredFlags<typeof Watch.flags>

/** Refuses several registries, because their revisions are unrelated. @throws DiscoError USAGE */
function refuseSeveral([first, second]: OpenRegistries): void {
  if (second === undefined) return
  throw new DiscoError('USAGE', '--since takes the revision of one registry: -C names several', {
    suggestions: [`Such as: -C ${first.origin?.registry}`],
  })
}

/** Why registries cannot be read, in the order in which they were named. */
function inOrder(registries: OpenRegistries, outages: ReadonlyMap<string | undefined, DiscoError>) {
  return registries.flatMap(({ origin }) => {
    const cause = outages.get(origin?.registry)
    return cause ? [[origin?.registry, cause] as const] : []
  })
}
