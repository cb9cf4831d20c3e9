import type { Palette } from './color.js'

/** The kinds of changes of an endpoint or a key that lists of changes distinguish. */
export type ChangeKind = 'added' | 'removed' | 'changed'

export const CHANGE_GLYPHS: Readonly<Record<ChangeKind, string>> = { added: '+', removed: '-', changed: '~' }

/** The text in the colour of the change. */
export function paintedChange(kind: ChangeKind, text: string, palette: Palette): string {
  if (kind === 'added') return palette.green(text)
  return kind === 'removed' ? palette.red(text) : palette.yellow(text)
}
