import { Chalk, type ChalkInstance } from 'chalk'
import { isAsciiLocale } from './ascii.js'

/** The colours, the character set and the width of one stream. */
export interface Palette extends ChalkInstance {
  readonly isAscii: boolean
  /** Whether the stream is a terminal: its reader may want a legend. */
  readonly isTerminal: boolean
  /** Columns of the terminal at this moment; infinite for a file or pipe. */
  readonly columns: number
}

interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** The palette of one stream. Stdout and stderr each have their own, since either may be a file. */
export function paletteFor(stream: Stream, wanted: boolean, env: Environment): Palette {
  const level = wanted && isColored(stream, env) ? 1 : 0
  return paletteOf({ level, isAscii: isAsciiLocale(env), isTerminal: stream.isTTY === true }, () =>
    columnsOf(stream),
  )
}

/** A palette that leaves all texts unchanged. */
export const uncolored: Palette = paletteOf(
  { level: 0, isAscii: false, isTerminal: false },
  () => Number.POSITIVE_INFINITY,
)

/** A copy of the palette without colours. */
export function withoutColors(palette: Palette): Palette {
  const { isAscii, isTerminal } = palette
  return paletteOf({ level: 0, isAscii, isTerminal }, () => palette.columns)
}

/** A copy of the palette with infinite columns, such as for a table with every column. */
export function ofAnyWidth(palette: Palette): Palette {
  return paletteOf(palette, () => Number.POSITIVE_INFINITY)
}

function paletteOf(
  { level, isAscii, isTerminal }: Pick<Palette, 'level' | 'isAscii' | 'isTerminal'>,
  columns: () => number,
): Palette {
  const chalk = Object.assign(new Chalk({ level }), { isAscii, isTerminal, columns: 0 })
  return Object.defineProperty(chalk, 'columns', { get: columns })
}

function columnsOf({ isTTY, columns }: Stream): number {
  return isTTY && columns ? columns : Number.POSITIVE_INFINITY
}

/** The rules of chalk, and those of no-color.org and bixense.com/clicolors. */
function isColored(stream: Stream, env: Environment): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR)
  if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** The kinds of changes of an endpoint or a key that lists of changes distinguish. */
export type ChangeKind = 'added' | 'removed' | 'changed'

export const CHANGE_GLYPHS: Readonly<Record<ChangeKind, string>> = { added: '+', removed: '-', changed: '~' }

/** The text in the colour of the change. */
export function paintedChange(kind: ChangeKind, text: string, palette: Palette): string {
  if (kind === 'added') return palette.green(text)
  return kind === 'removed' ? palette.red(text) : palette.yellow(text)
}
