import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { screenAfter } from '../support/emulator.js'

/** What a terminal printed, and when. */
export interface Output {
  readonly atMs: number
  readonly text: string
}

const PROMPT = '$ '
const PATIENCE_MS = 20_000
/** For a command to end after Ctrl-C. */
const END_MS = 1_500
/** A fast typist's pace. */
const CHUNK = { characters: 3, pauseMs: 90 }

/** A shell on a terminal of a fixed size, typed into as a person does. */
export class Pane {
  readonly outputs: Output[] = []
  readonly typed: string[] = []
  private readonly shell: ChildProcess
  private readonly closed: Promise<unknown>

  /** @param nowMs clock of the recording, shared by its panes */
  constructor(
    readonly columns: number,
    readonly rows: number,
    env: Readonly<Record<string, string>>,
    nowMs: () => number,
  ) {
    const command = `stty cols ${columns} rows ${rows}; exec bash --norc --noprofile`
    this.shell = spawn('script', ['-qfec', command, '/dev/null'], {
      cwd: env.HOME,
      env: { ...env, TERM: 'xterm-256color', PS1: PROMPT, BASH_SILENCE_DEPRECATION_WARNING: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
      // Ctrl-C ends the recording, which then ends what runs here.
      detached: true,
    })
    this.closed = once(this.shell, 'close')
    this.shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.outputs.push({ atMs: nowMs(), text })
    })
  }

  /** Types a line and Enter. */
  async type(line: string): Promise<void> {
    this.typed.push(line)
    for (let at = 0; at < line.length; at += CHUNK.characters) {
      this.shell.stdin?.write(line.slice(at, at + CHUNK.characters))
      await delay(CHUNK.pauseMs)
    }
    this.shell.stdin?.write('\n')
  }

  /** Types a command and waits until the prompt is back. */
  async run(line: string): Promise<void> {
    await this.type(line)
    await this.shows(new RegExp(`${escaped(line)}\\n(?:.*\\n)*\\$$`))
  }

  /** Waits until the terminal shows the text. @throws Error with the screen, after twenty seconds */
  async shows(text: RegExp): Promise<string> {
    const endMs = performance.now() + PATIENCE_MS
    for (;;) {
      const screen = (await this.screen()).join('\n').trimEnd()
      if (text.test(screen)) return screen
      if (performance.now() > endMs) throw new Error(`${text} did not appear:\n${screen}`)
      await delay(50)
    }
  }

  private async screen(): Promise<string[]> {
    return await screenAfter(this.outputs.map(({ text }) => text).join(''), this.columns, this.rows)
  }

  /** Ends what runs in the foreground and in the background, and the shell. */
  async close(): Promise<void> {
    this.shell.stdin?.write('\u0003')
    await delay(END_MS)
    this.shell.stdin?.write('kill %1; wait; exit\n')
    await Promise.race([this.closed, delay(PATIENCE_MS)])
    this.shell.kill('SIGKILL')
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
