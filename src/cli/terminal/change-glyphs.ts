import type { Palette } from './color.js'

/** What happened to an endpoint or a key, as lists of changes distinguish it. */
export type ChangeKind = 'added' | 'removed' | 'changed'

export const CHANGE_GLYPHS: Readonly<Record<ChangeKind, string>> = { added: '+', removed: '-', changed: '~' }

/** The text in the colour of the change. */
export function paintedChange(kind: ChangeKind, text: string, palette: Palette): string {
  if (kind === 'added') return palette.green(text)
  return kind === 'removed' ? palette.red(text) : palette.yellow(text)
}
