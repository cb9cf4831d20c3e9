import { Hook, type HookReports, type HookRun } from '../../agent/hooks/hook.js'
import { NewestOnly } from '../../agent/hooks/newest-only.js'
import { SnapshotFile } from '../../agent/hooks/snapshot-file.js'
import type { GroupStop } from '../../agent/processes/group-run.js'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'
import type { WatchEvent } from '../../registry/events.js'
import type { Palette } from '../terminal/color.js'
import { count, seconds } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { EventDoc } from './document.js'
import { hookRun, type WatchedList, type WatchScope } from './hook-run.js'

/** Events that do not change the list. They are printed, but do not run the command. */
const WITHOUT_CHANGE: ReadonlySet<string> = new Set(['stale', 'resync'])

interface ExecSettings {
  /** The command line for a shell. */
  readonly command: string
  /** Whether all changes during a run lead to only one further run, for the newest change. */
  readonly isLatest: boolean
  /** The descriptor that the command writes to. */
  readonly stdout: 1 | 2
}

interface ExecRemarks {
  remark(line: string): void
  readonly palette: Palette
}

/** Runs a command for the first list and each change. */
export class WatchExec implements AsyncDisposable {
  private readonly lists = new Map<string | undefined, WatchedList>()
  private readonly newest: NewestOnly<HookRun> | null

  /** @throws DiscoError USAGE if the snapshot file cannot be created */
  static async open(
    settings: ExecSettings,
    scope: WatchScope,
    stop: GroupStop,
    remarks: ExecRemarks,
  ): Promise<WatchExec> {
    const file = await SnapshotFile.create().catch((cause: unknown) => {
      const message = `The snapshot file of --exec cannot be created: ${systemMessage(cause)}`
      throw new DiscoError('USAGE', message, { cause, suggestions: ['Set TMPDIR to another folder'] })
    })
    return new WatchExec(settings, scope, file, stop, remarks)
  }

  private readonly hook: Hook
  private readonly ending = new AbortController()

  private constructor(
    { command, isLatest, stdout }: ExecSettings,
    private readonly scope: WatchScope,
    private readonly file: SnapshotFile,
    { stop, killNow }: GroupStop,
    remarks: ExecRemarks,
  ) {
    const ends = AbortSignal.any([stop, this.ending.signal])
    const hook = new Hook(command, stdout, file, { stop: ends, killNow }, execReports(remarks, isLatest))
    this.hook = hook
    this.newest = isLatest ? new NewestOnly((run) => hook.run(run)) : null
  }

  /** Ends the current run, and removes the snapshot file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort()
    await this.idle()
    this.file[Symbol.dispose]()
  }

  /** Resolves when the next event may be passed. Until then, later changes stay in etcd and take no memory. */
  async on({ event, snapshot, registry }: WatchEvent, doc: EventDoc): Promise<void> {
    const known = this.lists.get(registry)?.snapshot ?? null
    const list = event.type === 'stale' ? { snapshot: known, stale: event.cause } : { snapshot, stale: null }
    this.lists.set(registry, list)
    if (WITHOUT_CHANGE.has(doc.type)) return
    const run = hookRun(doc, this.scope, this.lists)
    if (this.newest) this.newest.offer(run)
    else await this.hook.run(run)
  }

  /** Resolves when no run is in progress or pending. */
  async idle(): Promise<void> {
    await this.newest?.idle()
  }
}

/** Prints a remark on each failed or slow run. */
function execReports({ remark, palette }: ExecRemarks, isLatest: boolean): HookReports {
  const mark = palette.yellow('!')
  return {
    onFailed: ({ name, env }, why, { failed, runs }) =>
      remark(
        `${mark} --exec: ${visible(why)}, on ${visible(name)}${revision(env)}; ${failed} of ${count(runs, 'run')} failed`,
      ),
    onSlow: ({ name, env }, afterMs) =>
      remark(
        `${mark} --exec runs for ${seconds(afterMs)}, on ${visible(name)}${revision(env)}: later changes ${
          isLatest ? 'become one run' : 'wait in etcd'
        }`,
      ),
  }
}

function revision({ DISCO_REV: rev = '' }: HookRun['env']): string {
  return rev === '' ? '' : ` (rev ${rev})`
}
