import { toAscii } from './ascii.js'
import type { Palette } from './color.js'
import { wrapLines } from './wrap.js'

/**
 * Converts a text for people to the character set of a stream, and wraps it to the width of the terminal. Texts for
 * people pass through this function before they are written; data for programs does not.
 */
export function presented(text: string, { isAscii, columns }: Pick<Palette, 'isAscii' | 'columns'>): string {
  return wrapLines(isAscii ? toAscii(text) : text, columns)
}
