import type { Interfaces } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { type Since, sinceFlag } from '../cli/flags/since.js'
import { filterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { changeDoc, type HistoryHead } from '../cli/history/document.js'
import { HistoryRows } from '../cli/history/rows.js'
import { historyWriter } from '../cli/history/writer.js'
import { StopSignals } from '../cli/stop-signals.js'
import { count } from '../cli/terminal/units.js'
import { errorDoc } from '../domain/documents.js'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { type RevisionSample, RevisionTimes } from '../domain/revision-times.js'
import type { History as EndpointHistory } from '../registry/history.js'
import type { Registry } from '../registry/registry.js'

export default class History extends DiscoCommand {
  static override summary = "Show what changed, revision by revision, from etcd's history"
  static override description =
    'Replays the history that etcd has not compacted yet. etcd stores no times: those shown are bounds, from the revisions that earlier commands have seen. Of a removed endpoint, history does not show whether it was deregistered or its lease ended. -l, --host and addresses select changes of endpoints that match before or after the change.'
  static override examples = [
    '<%= config.bin %> history hello',
    '<%= config.bin %> history --since 10m',
    "<%= config.bin %> history hello --since 1 -l 'version=2.0.0'",
    '<%= config.bin %> history hello -o ndjson',
  ]
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    since: sinceFlag({
      description:
        'show changes after this revision (1042), or of about this last period (10m); default: all',
    }),
    ...filterFlags,
    ...placeFlags,
  }

  /** Writes its output as it reads: returns nothing. */
  async run(): Promise<void> {
    const { args, flags } = await this.parse(History)
    const [target, ...addrs] = args.target ?? []
    const place = (layout: string) => this.place(flags, layout)
    const scope = await readScope({ command: 'history', target, addrs, flags, place })
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    using stop = new StopSignals()
    this.output.interruptBy(stop.once)
    const signal = AbortSignal.any([stop.once, this.output.ended])
    try {
      const changes = await this.write(registry, scope, flags, signal)
      if (changes === 0 && !signal.aborted) await this.explainNone(registry, scope)
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    }
    if (stop.once.aborted) process.exitCode = 130
  }

  /** @returns the number of changes */
  private async write(
    registry: Registry,
    { service, filter }: Scope<string | undefined>,
    flags: BaseFlags & HistoryFlags,
    signal: AbortSignal,
  ): Promise<number> {
    const { openHistory } = await import('../registry/history.js')
    const sentMs = Date.now()
    const history = await openHistory(registry, service, { signal })
    const { revision, raftTerm } = history
    const now = { revision, raftTerm, sentMs, receivedMs: Date.now() }
    const samples = await readSamples(history.clusterId)
    const times = new RevisionTimes([...samples, now])
    const after = this.beginning(flags.since, times, now)
    const head: HistoryHead = {
      schema: 'disco.history/v1',
      service: service ?? null,
      since: String(after),
      rev: String(revision),
    }
    const format = this.format(flags)
    const looks = {
      withService: service === undefined,
      wide: format === 'wide',
      now: new Date(now.receivedMs),
    }
    const rows = new HistoryRows(this.palette(flags), looks)
    const output = { format, writer: this.writer(flags) }
    const writer = historyWriter(output, head, rows, {
      out: (line) => this.out(line),
      outText: (text) => this.outText(flags, text),
    })
    let changes = 0
    let compacted: Revision | null = null
    let failure: DiscoError | null = null
    try {
      let reached = after
      const showProgress = () => this.progressLine.show(() => progressText(reached, after, history))
      showProgress()
      const onCompacted = flags.since?.kind === 'revision' ? 'fail' : 'begin-later'
      for await (const part of history.changes({ after, onCompacted, filter })) {
        if (part.type === 'compacted') {
          this.remark(`! ${compactionText(part.revision, changes)}`)
          compacted = part.revision
          continue
        }
        reached = part.reached
        writer.add(part.events.map((event) => changeDoc(event, times.boundsOf(event.revision))))
        changes += part.events.length
        // The written events have ended the progress line.
        if (part.events.length > 0) showProgress()
        // Backpressure: while the reader is slow, the rest stays in etcd.
        await this.output.drained()
      }
    } catch (thrown) {
      failure = DiscoError.from(thrown)
      if (format !== 'json' || changes === 0) throw failure
    }
    const interrupted = signal.aborted
    writer.end({
      compacted: compacted === null ? null : String(compacted),
      interrupted,
      ...(failure ? errorDoc(failure) : {}),
    })
    if (failure) process.exitCode = failure.exit
    else if (!interrupted && changes > 0) this.sumUp(changes, after, history, samples)
    return changes
  }

  /** The revision after which changes are shown. */
  private beginning(since: Since | undefined, times: RevisionTimes, now: RevisionSample): Revision {
    if (since === undefined) return 0
    if (since.kind === 'revision') return since.revision
    const revision = times.lastBefore(now.receivedMs - since.ms)
    if (revision !== null) return revision
    this.remark(`! The revision of ${since.text} ago is not known: all changes that etcd still has follow`)
    return 0
  }

  private sumUp(
    changes: number,
    after: Revision,
    { revision }: EndpointHistory,
    samples: readonly RevisionSample[],
  ): void {
    const since = after === 0 ? '' : ` after rev ${after}`
    this.remark(`${count(changes, 'change')}${since} (rev ${revision})`)
    if (samples.length > 0) return
    this.remark(
      'The times of the changes are not known: etcd stores no times, and no earlier command has noted one',
    )
  }

  /** @throws DiscoError NOT_FOUND for a service that does not exist; USAGE for an invalid address */
  private async explainNone(
    registry: Registry,
    { service, invalid }: Scope<string | undefined>,
  ): Promise<void> {
    for (const error of invalid.values()) throw error
    if (service !== undefined) await registry.listExisting(service)
    this.remark('No changes')
  }
}

type HistoryFlags = Interfaces.InferredFlags<typeof History.flags>

async function readSamples(clusterId: string): Promise<readonly RevisionSample[]> {
  const { revisionLog } = await import('../registry/revision-sampling.js')
  return (await revisionLog(process.env)?.read(clusterId)) ?? []
}

function compactionText(revision: Revision, changesBefore: number): string {
  return changesBefore === 0
    ? `The history begins after revision ${revision}: etcd has compacted what was before`
    : `Changes up to revision ${revision} are missing: etcd has compacted them meanwhile`
}

function progressText(reached: Revision, after: Revision, { revision }: EndpointHistory): string {
  const percent = Math.floor((100 * (reached - after)) / Math.max(1, revision - after))
  return `  reading the history: revision ${reached} of ${revision}, ${percent}%`
}
