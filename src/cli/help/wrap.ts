/** The start of a two-column line: indent, first column, and the spaces before the second. */
const FIRST_COLUMN = /^( +\S.*? {2,}|)/

/**
 * Breaks lines between words; the second column of a two-column line continues below itself. A longer word stays
 * whole.
 */
export function wrapLines(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (line.length <= columns ? line : wrapLine(line, columns)))
    .join('\n')
}

function wrapLine(line: string, columns: number): string {
  const [start = ''] = FIRST_COLUMN.exec(line) ?? []
  const lines: string[] = []
  let current = start
  for (const word of line.slice(start.length).split(' ')) {
    const isFirst =
      current.trimEnd() === current.slice(0, start.length).trimEnd() && current.length <= start.length
    const next = isFirst ? current + word : `${current} ${word}`
    if (next.length > columns && !isFirst) {
      lines.push(current)
      current = ' '.repeat(start.length) + word
    } else current = next
  }
  return [...lines, current].join('\n')
}
