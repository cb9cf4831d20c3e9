/** A word for a command to copy, quoted where a shell would take one of its characters for a sign: `weight>0`. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
