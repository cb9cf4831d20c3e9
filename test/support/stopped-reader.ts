import { readFileSync } from 'node:fs'
import { type Disco, type Process, until } from './disco.js'

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
    return await StoppedReader.launch(disco, command, first, 'exec cat')
  }

  /**
   * Like `start`, with a reader that has stopped itself after the first line, for a command that could otherwise end
   * before it is stopped. `first` is in the first line.
   */
  static async startStopped(disco: Disco, command: string, first: string): Promise<StoppedReader> {
    const reader = 'IFS= read -r line; printf "%s\\n" "$line"; kill -STOP $BASHPID; exec cat'
    const piped = await StoppedReader.launch(disco, command, first, reader)
    await until(
      () => stateOf(piped.readerPid) === 'T',
      () => 'the reader to stop',
    )
    return piped
  }

  private static async launch(
    disco: Disco,
    command: string,
    first: string,
    reader: string,
  ): Promise<StoppedReader> {
    const shell = disco.shell(
      `set -o pipefail; disco ${command} | { echo "reader $BASHPID" >&2; ${reader}; }`,
    )
    await shell.printed('reader ')
    await shell.printed(first)
    const [, readerPid] = /reader (\d+)/.exec(shell.stderr) ?? []
    const tool = descendants(shell.child.pid ?? 0).find((pid) => commandOf(pid).includes('bin/run.js'))
    if (tool === undefined) throw new Error('the tool does not run')
    return new StoppedReader(shell, tool, Number(readerPid))
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

/** The state of a process as one letter; T is stopped. */
function stateOf(pid: number): string | undefined {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] ?? ''
}
