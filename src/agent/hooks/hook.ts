import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'
import type { ProcessEnd } from '../processes/child-process.js'
import { type GroupStop, runInGroup } from '../processes/group-run.js'
import type { SnapshotFile } from './snapshot-file.js'

/** A change that a command is run for. */
export interface HookRun {
  /** The change, for messages. */
  readonly name: string
  /** Variables of the command, beside those of this process. */
  readonly env: Readonly<Record<string, string>>
  /** Its standard input. */
  readonly input: string
  /** The lines of the snapshot file. Read when the run starts. */
  snapshot(): Iterable<string>
}

export interface HookReports {
  /** A run failed, or could not start. @param why such as `exit code 1` */
  onFailed(run: HookRun, why: string, counts: { readonly failed: number; readonly runs: number }): void
  /** A run takes long. */
  onSlow(run: HookRun, afterMs: number): void
}

/** A run is expected to be shorter. */
const SLOW_MS = 10_000

/** Runs a shell command for changes. Its text is the user's own; what others wrote reaches it as data. */
export class Hook {
  private runs = 0
  private failed = 0

  /** @param stdout the descriptor that the command writes to */
  constructor(
    private readonly command: string,
    private readonly stdout: 1 | 2,
    private readonly file: SnapshotFile,
    private readonly stop: GroupStop,
    private readonly reports: HookReports,
  ) {}

  /** Resolves when the command has ended. Nothing is run any more after `stop`. Never rejects. */
  async run(run: HookRun): Promise<void> {
    if (this.stop.stop.aborted) return
    this.runs++
    const slow = setTimeout(() => this.reports.onSlow(run, SLOW_MS), SLOW_MS)
    try {
      await this.file.write(run.snapshot())
      const end = await this.start(run)
      if (end.code !== 0 && !this.stop.stop.aborted) this.fail(run, endText(end))
    } catch (thrown) {
      this.fail(run, thrown instanceof DiscoError ? thrown.message : `not run: ${systemMessage(thrown)}`)
    } finally {
      clearTimeout(slow)
    }
  }

  private async start({ env, input }: HookRun): Promise<ProcessEnd> {
    const stdio: SpawnOptions['stdio'] = ['pipe', this.stdout, 2]
    const variables = { ...process.env, ...env, DISCO_SNAPSHOT_FILE: this.file.path }
    const children: ChildProcess[] = []
    try {
      return await runInGroup(['sh', '-c', this.command], { stdio, env: variables }, this.stop, (child) => {
        children.push(child)
        // The command need not read it.
        child.stdin?.on('error', () => undefined)
        child.stdin?.end(input)
      })
    } finally {
      // A daemon may have kept the other end, without reading.
      for (const { stdin } of children) stdin?.destroy()
    }
  }

  private fail(run: HookRun, why: string): void {
    this.failed++
    this.reports.onFailed(run, why, { failed: this.failed, runs: this.runs })
  }
}

function endText({ code, signal }: ProcessEnd): string {
  return signal === null ? `exit code ${code}` : `ended by ${signal}`
}
