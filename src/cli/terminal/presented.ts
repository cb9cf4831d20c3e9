import { toAscii } from './ascii.js'
import type { Palette } from './color.js'
import { wrapLines } from './wrap.js'

/**
 * A text for people as a stream shows it: in the characters of its locale, and broken between words where the terminal
 * is narrower. Every text for people passes through here before it is written; data for programs never does.
 */
export function presented(text: string, { isAscii, columns }: Pick<Palette, 'isAscii' | 'columns'>): string {
  return wrapLines(isAscii ? toAscii(text) : text, columns)
}
