import { readFileSync } from 'node:fs'
import type { Disco, Process } from './disco.js'

/** The tool in a shell pipe into `cat`, which can be stopped: it then reads nothing, and the pipe stays open. */
export class StoppedReader {
  private constructor(
    readonly shell: Process,
    readonly toolPid: number,
    private readonly readerPid: number,
  ) {}

  /**
   * Starts a command of the tool, and resolves when it has printed `first`.
   *
   * @param command arguments of the tool, quoted for a shell
   */
  static async start(disco: Disco, command: string, first: string): Promise<StoppedReader> {
    const shell = disco.shell(`set -o pipefail; disco ${command} | { echo "reader $BASHPID" >&2; exec cat; }`)
    await shell.printed('reader ')
    await shell.printed(first)
    const [, reader] = /reader (\d+)/.exec(shell.stderr) ?? []
    const tool = descendants(shell.child.pid ?? 0).find((pid) => commandOf(pid).includes('bin/run.js'))
    if (tool === undefined) throw new Error('the tool does not run')
    return new StoppedReader(shell, tool, Number(reader))
  }

  /** Resident memory of the tool in bytes. */
  get residentBytes(): number {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.toolPid}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1024
  }

  stopReading(): void {
    process.kill(this.readerPid, 'SIGSTOP')
  }

  readOn(): void {
    process.kill(this.readerPid, 'SIGCONT')
  }

  /** Sends a signal to the tool only. */
  kill(signal: NodeJS.Signals): void {
    process.kill(this.toolPid, signal)
  }
}

function descendants(pid: number): number[] {
  const children = childrenOf(pid)
  return [...children, ...children.flatMap(descendants)]
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] ?? ''
}
