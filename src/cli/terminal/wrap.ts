import { toAscii } from './ascii.js'
import type { Palette } from './color.js'
import { graphemesOf, textWidth } from './text-width.js'

const ANSI = /\u001b\[[0-9;]*m/g

/** Splits a line at a width. Both parts keep every colour code of the line. */
export function take(line: string, columns: number): { readonly taken: string; readonly left: string } {
  let room = columns
  let taken = ''
  let left = ''
  let at = 0
  for (const match of [...line.matchAll(ANSI), { 0: '', index: line.length }]) {
    for (const { segment } of graphemesOf(line.slice(at, match.index))) {
      room -= textWidth(segment)
      if (room >= 0) taken += segment
      else left += segment
    }
    taken += match[0]
    left += match[0]
    at = match.index + match[0].length
  }
  return { taken, left }
}

/**
 * Replaces a space between words that stay on one line. Texts do not contain it, because `visible` shows it as a code.
 */
const GLUE = '\u00a0'

/**
 * Wraps a text between words. A word that is longer than the width is split, after a comma if it has one. Words joined
 * by GLUE are never split, even if they are longer than the width.
 */
export function wrapWords(text: string, columns: number): string[] {
  if (textWidth(text) <= columns) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((word) => pieces(word, columns))) {
    const isTooLong = textWidth(word) > columns
    if (line === '') line = word
    else if (isTooLong || textWidth(line) + 1 + textWidth(word) <= columns) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

function pieces(word: string, columns: number): string[] {
  if (word.includes(GLUE)) return [word]
  const all: string[] = []
  let rest = word
  while (textWidth(rest) > columns) {
    const { taken } = take(rest, columns)
    const comma = taken.lastIndexOf(',') + 1
    const { taken: piece, left } = take(rest, comma > 0 ? textWidth(taken.slice(0, comma)) : columns)
    // The next character is wider than the line.
    if (left === rest) break
    all.push(piece)
    rest = left
  }
  return [...all, rest]
}

/** A line with JSON to copy: copied with a line break, it would be incomplete. */
const JSON_TO_COPY = /[{[]"/

/**
 * A command of disco up to the end of its clause, or flags with their values. Copied with a line break, they would be
 * incomplete.
 */
const COMMAND =
  /(?:\bfix: )?\bdisco \w(?:'[^']*'|"[^"]*"|(?![.,;](?:\s|$)|\s{2}|\s\()[^'"])*|(?<=^|\s)--\w[\w-]*(?:[ =][^\s,;()]+)?(?: --\w[\w-]*(?:[ =][^\s,;()]+)?)*/g

/** A mark or word at the beginning of a line, such as `✗ ` or `PASS  `, with the spaces after it. */
const MARK = /^(?:\u001b\[[0-9;]*m)* *(?:\u001b\[[0-9;]*m)*(?:[✗✓!?→·↻~+-]|PASS|FAIL)(?:\u001b\[[0-9;]*m)* +/

/**
 * A command and the remark in brackets behind it, as in `fix: disco weight hello 1.2.3.4:1 0   (or mend its server)`.
 */
const REMARKED = /^( *)(.*\S) {3}((?:\u001b\[[0-9;]*m)*\(.*)$/

/** Lines are not wrapped for narrower terminals, which break them themselves. */
const MIN_COLUMNS = 20

/**
 * Wraps the lines of a text that are wider than the terminal. Their continuation is indented to the start of the text.
 * A command stays whole, for copying, and a remark behind it moves below. A line with JSON is not wrapped.
 */
export function wrapLines(text: string, columns: number): string {
  if (columns < MIN_COLUMNS || columns === Number.POSITIVE_INFINITY) return text
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns))
    .join('\n')
}

function wrapLine(line: string, columns: number): string[] {
  if (textWidth(line) <= columns) return [line]
  if (JSON_TO_COPY.test(line)) return [line]
  const glued = line.replace(COMMAND, (command) => command.replaceAll(' ', GLUE))
  const [, before = '', command, remark] = glued === line ? [] : (REMARKED.exec(line) ?? [])
  if (command !== undefined) {
    return [...wrapLine(before + command, columns), ...wrapLine(`${before}${remark}`, columns)]
  }
  const [start = ''] = MARK.exec(line) ?? /^ */.exec(line) ?? []
  const indent = ' '.repeat(textWidth(start))
  const [first = '', ...more] = wrapWords(glued.slice(start.length), columns - indent.length)
  return [start + first, ...more.map((part) => indent + part)].map((part) => part.replaceAll(GLUE, ' '))
}

/**
 * Converts a text for people to the character set of a stream, and wraps it to the width of the terminal. Texts for
 * people pass through this function before they are written; data for programs does not.
 */
export function presented(text: string, { isAscii, columns }: Pick<Palette, 'isAscii' | 'columns'>): string {
  return wrapLines(isAscii ? toAscii(text) : text, columns)
}
