import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { endOf, launch, type ProcessEnd } from './child-process.js'

/** Nothing tells when the last process of a group is gone but to ask. */
const GROUP_POLL_MS = 25

/** What SIGKILL leaves are zombies that nobody fetches (a container without an init): not waited for. */
const AFTER_KILL_MS = 1_000

/**
 * A command that runs in a process group (and session) of its own: the terminal's Ctrl-C does not reach it,
 * and what it starts can be ended with it.
 */
export class ServerProcess {
  readonly exited: Promise<ProcessEnd>
  private killedAtMs = Number.POSITIVE_INFINITY
  private wasTold = false

  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
  ) {
    this.exited = endOf(child)
  }

  /**
   * @param stdout where its standard output goes: our own, or our standard error
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

  /** To the process alone: what it started may not know the signal, and die of it. */
  send(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Stops the whole group, as Ctrl-Z on a terminal stops a foreground job. */
  suspend(): void {
    this.toGroup('SIGSTOP')
  }

  /** Lets a stopped group go on. */
  resume(): void {
    this.toGroup('SIGCONT')
  }

  /** Asks the whole group to end, once. */
  terminate(): void {
    if (this.wasTold) return
    this.wasTold = true
    this.toGroup('SIGTERM')
  }

  kill(): void {
    this.killedAtMs = performance.now()
    this.toGroup('SIGKILL')
  }

  /** Whether anything of the group is left, zombies included. */
  get hasGroup(): boolean {
    return this.toGroup(0)
  }

  async groupGone(): Promise<void> {
    while (this.hasGroup && performance.now() < this.killedAtMs + AFTER_KILL_MS) await delay(GROUP_POLL_MS)
  }

  private toGroup(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.pid, signal)
    } catch (error) {
      // Not ours to signal is there all the same.
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  }
}
