import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import headless from '@xterm/headless'
import { type Process, until } from './disco.js'

/** The rows of a terminal of this size after a text was written to it, without trailing spaces. */
export async function screenAfter(text: string, columns: number, rows: number): Promise<string[]> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  const { active } = terminal.buffer
  const lines = Array.from(
    { length: rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  )
  terminal.dispose()
  return lines
}

/** A cell of a row with its style, as the terminal shows it. */
export interface Cell {
  readonly text: string
  readonly isDim: boolean
  readonly isRed: boolean
}

/** The cells of a row. */
export async function cellsAfter(text: string, columns: number, rows: number, row: number): Promise<Cell[]> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  const line = terminal.buffer.active.getLine(terminal.buffer.active.baseY + row)
  const cells = Array.from({ length: columns }, (_, column) => line?.getCell(column))
  const shown = cells.map((cell) => ({
    text: cell?.getChars() ?? '',
    isDim: cell?.isDim() !== 0,
    isRed: cell?.getFgColor() === RED,
  }))
  terminal.dispose()
  return shown
}

/** One of the sixteen terminal colors. */
const RED = 1

/** The screen of a command on a terminal. Tests read it and type into it. */
export class Screen {
  constructor(
    private readonly command: Process,
    private columns: number,
    private rows: number,
  ) {}

  /** The rows that the terminal shows now. */
  async lines(): Promise<string[]> {
    return await screenAfter(this.command.stdout, this.columns, this.rows)
  }

  async text(): Promise<string> {
    return (await this.lines()).join('\n')
  }

  async cells(row: number): Promise<Cell[]> {
    return await cellsAfter(this.command.stdout, this.columns, this.rows, row)
  }

  /** Waits until the terminal shows the text, and returns its rows. */
  async shows(text: string | RegExp): Promise<string[]> {
    let lines: string[] = []
    const isShown = async () => {
      lines = await this.lines()
      const shown = lines.join('\n')
      return typeof text === 'string' ? shown.includes(text) : text.test(shown)
    }
    await until(isShown, () => `${text}, got:\n${lines.join('\n')}`)
    return lines
  }

  type(text: string): void {
    this.command.child.stdin?.write(text)
  }

  /** Resizes the terminal, as a window system does. */
  resize(columns: number, rows: number): void {
    const terminal = readlinkSync(`/proc/${this.pid}/fd/0`)
    execFileSync('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)])
    this.columns = columns
    this.rows = rows
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** The process id of the command: the innermost child process, below the terminal and the shell. */
  private get pid(): number {
    let { pid } = this.command.child
    if (pid === undefined) throw new Error('not started')
    for (let child: number | undefined = pid; child !== undefined; child = childOf(pid)) pid = child
    return pid
  }
}

function childOf(pid: number): number | undefined {
  const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return first === '' ? undefined : Number(first)
}
