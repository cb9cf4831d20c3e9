/** Looked up in the raw words: the command line may be what is wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  return words.some(
    (word, at) =>
      ['--json', '-ojson', '--output=json', '-o=json'].includes(word) ||
      (['-o', '--output'].includes(word) && words[at + 1] === 'json'),
  )
}
