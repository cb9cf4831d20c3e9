/** A word of a command line, quoted if a shell would interpret one of its characters, as in `weight>0`. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
