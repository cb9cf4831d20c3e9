import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { DiscoError } from '../../domain/errors.js'
import { systemMessage } from '../../domain/system-message.js'
import type { ProcessEnd } from '../processes/child-process.js'
import { type GroupStop, runInGroup } from '../processes/group-run.js'
import type { SnapshotFile } from './snapshot-file.js'

/** One run of the command, for a change. */
export interface HookRun {
  /** The change, for messages. */
  readonly name: string
  /** Environment variables of the command, in addition to those of this process. */
  readonly env: Readonly<Record<string, string>>
  /** Standard input of the command. */
  readonly input: string
  /** The lines of the snapshot file. Read when the run starts. */
  snapshot(): Iterable<string>
}

export interface HookReports {
  /** Called when a run failed, or could not start. @param why such as `exit code 1` */
  onFailed(run: HookRun, why: string, counts: { readonly failed: number; readonly runs: number }): void
  /** Called once when a run has not ended after `afterMs`. */
  onSlow(run: HookRun, afterMs: number): void
}

/** A run that takes longer is reported as slow. */
const SLOW_MS = 10_000

/**
 * Runs a shell command for changes. The text of the command comes from the user alone. Values from the registry reach it
 * as environment variables, standard input and a file, so that the shell does not execute them.
 */
export class Hook {
  private runs = 0
  private failed = 0

  /** @param stdout the descriptor that the command writes to */
  constructor(
    private readonly command: string,
    private readonly stdout: 1 | 2,
    private readonly file: SnapshotFile,
    private readonly signals: GroupStop,
    private readonly reports: HookReports,
  ) {}

  /** Runs the command, and resolves when it has ended. Does nothing after `stop` has aborted. Never rejects. */
  async run(run: HookRun): Promise<void> {
    if (this.signals.stop.aborted) return
    this.runs++
    const slow = setTimeout(() => this.reports.onSlow(run, SLOW_MS), SLOW_MS)
    try {
      await this.file.write(run.snapshot())
      const end = await this.start(run)
      if (end.code !== 0 && !this.signals.stop.aborted) this.fail(run, endText(end))
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
      return await runInGroup(
        ['sh', '-c', this.command],
        { stdio, env: variables },
        this.signals,
        (child) => {
          children.push(child)
          // The command may end without reading its input.
          child.stdin?.on('error', () => undefined)
          child.stdin?.end(input)
        },
      )
    } finally {
      // A background process of the command may hold the pipe open without reading it.
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
