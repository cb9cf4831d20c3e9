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

/** The whole environment of a run: nothing else of ours reaches the tool. */
export function environmentOf(endpoints: string): Record<string, string> {
  const { PATH = '', HOME = '', XDG_CACHE_HOME = '' } = process.env
  return { PATH, HOME, XDG_CACHE_HOME, DISCO_ENDPOINTS: endpoints }
}

/** The tool against one etcd, as processes of its own. */
export class Disco implements Tool {
  private readonly started: Process[] = []

  constructor(
    private readonly endpoints: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  async run(...args: string[]): Promise<Ran> {
    return await this.start(...args).exited()
  }

  start(...args: string[]): Process {
    return this.spawn(process.execPath, [RUN, ...args])
  }

  /** Runs a shell line in which `disco` is the tool. */
  shell(line: string): Process {
    return this.spawn('bash', ['-c', `disco() { "${process.execPath}" "${RUN}" "$@"; }; ${line}`])
  }

  /** Runs a command on a terminal of its own, with so many columns and rows. */
  onTerminal(columns: number, rows: number, ...args: string[]): Process {
    const line = [process.execPath, RUN, ...args].map((word) => `'${word}'`).join(' ')
    const command = `stty cols ${columns} rows ${rows}; exec ${line}`
    return this.spawn('script', ['-qfec', command, '/dev/null'], { TERM: 'xterm' })
  }

  /** Ends what a failed test left running. */
  async stopAll(): Promise<void> {
    await Promise.all(this.started.splice(0).map((started) => started.end('SIGKILL')))
  }

  private spawn(command: string, args: string[], env: Readonly<Record<string, string>> = {}): Process {
    const child = spawn(command, args, {
      env: { ...environmentOf(this.endpoints), ...this.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const started = new Process(child)
    this.started.push(started)
    return started
  }
}

/** A running command and what it has printed. */
export class Process {
  stdout = ''
  stderr = ''
  private readonly closed: Promise<unknown>

  constructor(readonly child: ChildProcess) {
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
    this.child.kill(signal)
    return await this.exited()
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
  const end = Date.now() + PATIENCE_MS
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${PATIENCE_MS} ms for ${what()}`)
    await delay(20)
  }
}

function count(text: string, wanted: string | RegExp): number {
  return typeof wanted === 'string'
    ? text.split(wanted).length - 1
    : [...text.matchAll(new RegExp(wanted, 'g'))].length
}
