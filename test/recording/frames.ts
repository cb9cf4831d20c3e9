import headless from '@xterm/headless'
import type { Output, Pane } from './pane.js'

/** Text of one style. */
export interface Run {
  readonly column: number
  readonly text: string
  /** Of the colours 0 to 7 of terminals; null for the default. */
  readonly color: number | null
  readonly isBold: boolean
  readonly isDim: boolean
}

/** What a row of the screen showed for some time. */
export interface Shown {
  readonly row: number
  readonly fromMs: number
  readonly toMs: number
  readonly runs: readonly Run[]
}

/** Outputs within this time are one change of the screen. */
const FRAME_MS = 60

/** What the rows of a terminal showed until the end of the recording. */
export async function shownBy(pane: Pane, endMs: number): Promise<Shown[]> {
  const terminal = new headless.Terminal({ cols: pane.columns, rows: pane.rows, allowProposedApi: true })
  const rows = Array.from({ length: pane.rows }, () => ({ fromMs: 0, runs: [] as Run[] }))
  const shown: Shown[] = []
  for (const { atMs, text } of framesOf(pane.outputs)) {
    if (atMs > endMs) break
    await new Promise<void>((resolve) => terminal.write(text, resolve))
    for (const [row, before] of rows.entries()) {
      const runs = runsOf(terminal, row)
      if (JSON.stringify(runs) === JSON.stringify(before.runs)) continue
      if (before.runs.length > 0) shown.push({ row, fromMs: before.fromMs, toMs: atMs, runs: before.runs })
      rows[row] = { fromMs: atMs, runs }
    }
  }
  for (const [row, { fromMs, runs }] of rows.entries())
    if (runs.length > 0) shown.push({ row, fromMs, toMs: endMs, runs })
  terminal.dispose()
  return shown
}

/** Outputs that come together, at the time of the last one. */
function framesOf(outputs: readonly Output[]): Output[] {
  const frames: Output[] = []
  for (const { atMs, text } of outputs) {
    const last = frames.at(-1)
    if (last && atMs - last.atMs < FRAME_MS) frames[frames.length - 1] = { atMs, text: last.text + text }
    else frames.push({ atMs, text })
  }
  return frames
}

function runsOf(terminal: InstanceType<typeof headless.Terminal>, row: number): Run[] {
  const { active } = terminal.buffer
  const line = active.getLine(active.baseY + row)
  const runs: Run[] = []
  for (let column = 0; column < terminal.cols; column++) {
    const cell = line?.getCell(column)
    if (!cell || cell.getWidth() === 0) continue
    const text = cell.getChars() || ' '
    const style = {
      color: cell.isFgPalette() && cell.getFgColor() < 16 ? cell.getFgColor() % 8 : null,
      isBold: cell.isBold() !== 0,
      isDim: cell.isDim() !== 0 || (cell.isFgPalette() && cell.getFgColor() === 8),
    }
    const last = runs.at(-1)
    if (last && (text === ' ' || isSame(last, style)))
      runs[runs.length - 1] = { ...last, text: last.text + text }
    else runs.push({ column, text, ...style })
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== '')
}

function isSame(a: Omit<Run, 'column' | 'text'>, b: Omit<Run, 'column' | 'text'>): boolean {
  return a.color === b.color && a.isBold === b.isBold && a.isDim === b.isDim
}
