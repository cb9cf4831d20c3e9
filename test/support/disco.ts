import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Longer than anything a test waits for; a test that needs it has failed. */
const PATIENCE_MS = 30_000

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** The tool against one etcd: `Disco` runs it as processes of its own, `ResidentTool` in one process for all. */
export interface Tool {
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ran>
}

/** The whole environment of a run: nothing else of ours reaches the tool, the user's contexts included. */
export function environmentOf(endpoints: string): Record<string, string> {
  const { PATH = '', HOME = '', XDG_CACHE_HOME = '' } = process.env
  return { PATH, HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME: '/nonexistent', DISCO_ENDPOINTS: endpoints }
}

/** What standard output of the tool is, in a shell or a terminal. */
export type OutputKind = 'pipe' | 'named pipe' | 'process substitution' | 'terminal'

/** Collects garbage all the time, so that what is held weakly is lost at once. */
const COLLECTS_GARBAGE = 'data:text/javascript,setInterval(gc,50).unref()'

/** The tool against one etcd, as processes of its own. */
export class Disco implements Tool {
  private readonly started: Process[] = []
  private readonly others: Disco[] = []

  /** @param node flags of Node itself */
  constructor(
    private readonly endpoints: string,
    private readonly env: Readonly<Record<string, string>> = {},
    private readonly node: readonly string[] = [],
  ) {}

  /** The same tool on a heap of so many megabytes, whose garbage is collected twenty times a second. */
  onSmallHeap(megabytes: number): Disco {
    return this.with({
      node: [`--max-old-space-size=${megabytes}`, '--expose-gc', '--import', COLLECTS_GARBAGE],
    })
  }

  /** The same tool with more in its environment, or flags of Node; it is stopped with this one. */
  with({ env = {}, node = [] }: { env?: Readonly<Record<string, string>>; node?: readonly string[] }): Disco {
    const disco = new Disco(this.endpoints, { ...this.env, ...env }, [...this.node, ...node])
    this.others.push(disco)
    return disco
  }

  async run(...args: string[]): Promise<Ran> {
    return await this.start(...args).exited()
  }

  start(...args: string[]): Process {
    return this.spawn(process.execPath, [...this.node, RUN, ...args])
  }

  /**
   * Runs a line of bash in which `disco` is the tool. A signal goes to all of its processes, as Ctrl-C does. Without
   * `--norc`, bash runs `~/.bashrc` if its standard input is a socket, as that of a child process of Node is.
   */
  shell(line: string): Process {
    return this.spawn('bash', ['--norc', '-c', `disco() { ${this.words([])} "$@"; }; ${line}`], {}, 'group')
  }

  /**
   * Runs a command whose standard output goes to a reader in a shell, or to a terminal (which has no reader). The
   * exit code is that of the tool; standard output is what the reader, or the terminal, prints.
   *
   * @param reader a shell command: `cat` reads to the end, `head -1` leaves after the first line
   */
  into(kind: OutputKind, reader: string, ...args: string[]): Process {
    const tool = `disco ${args.map(quoted).join(' ')}`
    switch (kind) {
      case 'pipe':
        return this.shell(`${tool} | (${reader}); exit "\${PIPESTATUS[0]}"`)
      case 'named pipe': {
        const folder = 'folder=$(mktemp -d); trap \'rm -r "$folder"\' EXIT; mkfifo "$folder/pipe"'
        const ends = 'code=$?; wait; exit $code'
        return this.shell(`${folder}; (${reader}) < "$folder/pipe" & ${tool} > "$folder/pipe"; ${ends}`)
      }
      case 'process substitution':
        return this.shell(`${tool} > >(${reader}); code=$?; wait $!; exit $code`)
      case 'terminal':
        return this.onTerminal(200, 24, ...args)
    }
  }

  /** Runs a command on a terminal of its own, with so many columns and rows. */
  onTerminal(columns: number, rows: number, ...args: string[]): Process {
    const command = `stty cols ${columns} rows ${rows}; exec ${this.words(args)}`
    return this.spawn('script', ['-qfec', command, '/dev/null'], { TERM: 'xterm' })
  }

  /** Runs a line of an interactive bash on a terminal of its own: Ctrl-Z stops a command, and `fg` continues it. */
  shellOnTerminal(columns: number, rows: number, line: string): Process {
    const whole = `disco() { ${this.words([])} "$@"; }; ${line}`
    const command = `stty cols ${columns} rows ${rows}; exec bash --norc -ic ${quoted(whole)}`
    return this.spawn('script', ['-qfec', command, '/dev/null'], { TERM: 'xterm' })
  }

  /** Ends what a failed test left running. */
  async stopAll(): Promise<void> {
    await Promise.all(this.started.splice(0).map((started) => started.end('SIGKILL')))
    await Promise.all(this.others.splice(0).map((other) => other.stopAll()))
  }

  /** The tool and its arguments, as words of a shell. */
  private words(args: readonly string[]): string {
    return [process.execPath, ...this.node, RUN, ...args].map(quoted).join(' ')
  }

  private spawn(
    command: string,
    args: string[],
    env: Readonly<Record<string, string>> = {},
    signalled: 'process' | 'group' = 'process',
  ): Process {
    const child = spawn(command, args, {
      env: { ...environmentOf(this.endpoints), ...env, ...this.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: signalled === 'group',
    })
    const started = new Process(child, signalled)
    this.started.push(started)
    return started
  }
}

/** A running command and what it has printed. */
export class Process {
  stdout = ''
  stderr = ''
  private readonly closed: Promise<unknown>

  /** @param signalled whether a signal goes to the process alone, or to the group that it leads */
  constructor(
    readonly child: ChildProcess,
    private readonly signalled: 'process' | 'group' = 'process',
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.closed = once(child, 'close')
  }

  async exited(): Promise<Ran> {
    await this.closed
    return { stdout: this.stdout, stderr: this.stderr, code: this.child.exitCode }
  }

  async end(signal: NodeJS.Signals): Promise<Ran> {
    this.signal(signal)
    return await this.exited()
  }

  /** As the keyboard does it, where the command runs on a terminal: the terminal makes the signal. */
  async pressCtrlC(): Promise<Ran> {
    this.child.stdin?.write('\u0003')
    return await this.exited()
  }

  private signal(signal: NodeJS.Signals): void {
    const { pid } = this.child
    if (this.signalled === 'process' || pid === undefined) {
      this.child.kill(signal)
      return
    }
    try {
      process.kill(-pid, signal)
    } catch (error) {
      // The group has ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** Waits until the command has printed this, on either stream. */
  async printed(text: string | RegExp, times = 1): Promise<void> {
    await until(
      () => count(this.stdout + this.stderr, text) >= times,
      () => `${text}, got: ${this.stdout}${this.stderr}`,
    )
  }

  /** The NDJSON so far. */
  events(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

/** Waits until the condition holds; fails with what was waited for. */
export async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${PATIENCE_MS} ms for ${what()}`)
    await delay(20)
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function count(text: string, wanted: string | RegExp): number {
  return typeof wanted === 'string'
    ? text.split(wanted).length - 1
    : [...text.matchAll(new RegExp(wanted, 'g'))].length
}
