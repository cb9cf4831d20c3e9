import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Longer than anything a test waits for. A condition that takes longer fails the test. */
const PATIENCE_MS = 30_000

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** The tool against one etcd. `Disco` runs each command in a process, `ResidentTool` runs all in one process. */
export interface Tool {
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ran>
}

/**
 * The whole environment of a run. Nothing else of the test’s environment is passed, so that contexts of the user have
 * no effect.
 */
export function environmentOf(endpoints: string): Record<string, string> {
  const { PATH = '', HOME = '', XDG_CACHE_HOME = '' } = process.env
  return { PATH, HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME: '/nonexistent', DISCO_ENDPOINTS: endpoints }
}

/** Where standard output of the tool goes. */
export type OutputKind = 'pipe' | 'named pipe' | 'process substitution' | 'terminal'

/** Collects garbage every 50 ms, so that weakly referenced objects are removed soon. */
const COLLECTS_GARBAGE = 'data:text/javascript,setInterval(gc,50).unref()'

/** The tool against one etcd, with a process for each command. */
export class Disco implements Tool {
  private readonly started: Process[] = []
  private readonly others: Disco[] = []

  /** @param node flags of Node itself */
  constructor(
    private readonly endpoints: string,
    private readonly env: Readonly<Record<string, string>> = {},
    private readonly node: readonly string[] = [],
  ) {}

  /** The same tool on a heap of `megabytes`, with a garbage collection every 50 ms. */
  onSmallHeap(megabytes: number): Disco {
    return this.with({
      node: [`--max-old-space-size=${megabytes}`, '--expose-gc', '--import', COLLECTS_GARBAGE],
    })
  }

  /** The same tool with additional environment variables or Node flags. It is stopped together with this one. */
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
   * Runs a bash command line in which `disco` is the tool. Signals go to all processes of the line, as with Ctrl-C.
   * `--norc` is needed because bash otherwise runs `~/.bashrc` if its standard input is a socket, as in a child process
   * of Node.
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

  /** Runs a command on a new terminal of this size. */
  onTerminal(columns: number, rows: number, ...args: string[]): Process {
    const command = `stty cols ${columns} rows ${rows}; exec ${this.words(args)}`
    return this.spawn('script', ['-qfec', command, '/dev/null'], { TERM: 'xterm' })
  }

  /** Runs a line of an interactive bash on a new terminal. Ctrl-Z stops a command, and `fg` continues it. */
  shellOnTerminal(columns: number, rows: number, line: string): Process {
    const whole = `disco() { ${this.words([])} "$@"; }; ${line}`
    const command = `stty cols ${columns} rows ${rows}; exec bash --norc -ic ${quoted(whole)}`
    return this.spawn('script', ['-qfec', command, '/dev/null'], { TERM: 'xterm' })
  }

  /** Kills processes that a failed test has left. */
  async stopAll(): Promise<void> {
    await Promise.all(this.started.splice(0).map((started) => started.end('SIGKILL')))
    await Promise.all(this.others.splice(0).map((other) => other.stopAll()))
  }

  /** The command line of the tool with its arguments, quoted for a shell. */
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

/** A running command and its output so far. */
export class Process {
  stdout = ''
  stderr = ''
  private readonly closed: Promise<unknown>

  /** @param signalled whether signals go to the process only, or to the process group that it leads */
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

  /** Presses Ctrl-C in a command on a terminal. The terminal turns the key into a signal. */
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
      // The process group has already ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** Waits until the command has printed the text on standard output or standard error. */
  async printed(text: string | RegExp, times = 1): Promise<void> {
    await until(
      () => count(this.stdout + this.stderr, text) >= times,
      () => `${text}, got: ${this.stdout}${this.stderr}`,
    )
  }

  /** The NDJSON events printed so far. */
  events(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

/** Waits until the condition holds. Fails with a description of the condition. */
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
