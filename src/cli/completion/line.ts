/**
 * The words of a command line up to the cursor, without the program's name. The last is the word to complete, which is
 * empty after a space. Quotes and backslashes are read as in POSIX shells. Variables are not expanded.
 *
 * @example wordsOf("disco ls 'my service' -o ") // ['ls', 'my service', '-o', '']
 */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  // A word consists of quoted and unquoted parts. An open quote ends at the cursor.
  for (const [word] of line.matchAll(/(?:'[^']*(?:'|$)|"(?:\\.|[^"\\])*(?:"|\\?$)|\\.|\\$|[^\s'"\\])+/gs)) {
    words.push(unquoted(word))
  }
  if (/(?:^|[^\\])\s$/.test(line) && !hasOpenQuote(line)) words.push('')
  return words.slice(1)
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)(?:'|$)|"((?:\\.|[^"\\])*)(?:"|\\?$)|\\(.?)/gs,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  )
}

function hasOpenQuote(line: string): boolean {
  const rest = line.replace(/'[^']*'|"(?:\\.|[^"\\])*"|\\./gs, '')
  return /['"]/.test(rest)
}
