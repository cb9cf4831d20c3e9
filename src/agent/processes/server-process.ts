import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { endOf, launch, type ProcessEnd } from './child-process.js'

/** The end of the last process of a group causes no event, so it is polled. */
const GROUP_POLL_MS = 25

/** Limit of the wait after SIGKILL: in a container without an init, ended processes remain as zombies. */
const AFTER_KILL_MS = 1_000

/**
 * A command in its own process group (and session): Ctrl-C on the terminal does not reach it, and its child processes
 * can be ended with it.
 */
export class ServerProcess {
  readonly exited: Promise<ProcessEnd>
  private killedAtMs = Number.POSITIVE_INFINITY
  private isTerminated = false

  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
  ) {
    this.exited = endOf(child)
  }

  /**
   * @param stdout the target of its standard output: our own, or our standard error
   * @throws DiscoError USAGE when it cannot be started
   */
  static async start(
    command: readonly string[],
    { env, stdout }: { env: Readonly<Record<string, string>>; stdout: 'own' | 'stderr' },
  ): Promise<ServerProcess> {
    const child = await launch(command, {
      stdio: ['inherit', stdout === 'own' ? 'inherit' : 2, 'inherit'],
      env: { ...process.env, ...env },
      detached: true,
    })
    return new ServerProcess(child, child.pid)
  }

  /** Sends a signal to the process, not to its group: child processes that do not handle the signal would end. */
  send(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Stops the whole group, as Ctrl-Z on a terminal stops a foreground job. */
  suspend(): void {
    this.toGroup('SIGSTOP')
  }

  /** Continues a stopped group. */
  resume(): void {
    this.toGroup('SIGCONT')
  }

  /** Sends SIGTERM to the whole group; later calls have no effect. */
  terminate(): void {
    if (this.isTerminated) return
    this.isTerminated = true
    this.toGroup('SIGTERM')
  }

  kill(): void {
    this.killedAtMs = performance.now()
    this.toGroup('SIGKILL')
  }

  /** Whether a process of the group remains, including zombies. */
  get hasGroup(): boolean {
    return this.toGroup(0)
  }

  /** Resolves when no process of the group remains, or soon after SIGKILL. */
  async groupGone(): Promise<void> {
    while (this.hasGroup && performance.now() < this.killedAtMs + AFTER_KILL_MS) await delay(GROUP_POLL_MS)
  }

  private toGroup(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.pid, signal)
    } catch (error) {
      // EPERM: the group exists, although we may not signal it.
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  }
}
