import { readFileSync } from 'node:fs'

/** The commands of a page of docs/ in blocks for a shell, in their order, without comments. */
export function commandsOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.trim().split('\n'))
  return lines.map((line) => line.replace(/ +#.*$/, '')).filter((line) => line !== '')
}

/**
 * The one command of a page that stands there as `words`, with other names in it.
 *
 * @param names by the name on the page
 * @throws Error if the page has no such command: the test and the page have parted
 */
export function commandOf(page: string, words: string, names: Readonly<Record<string, string>> = {}): string {
  if (!commandsOf(page).includes(words)) throw new Error(`docs/${page} has no command ${words}`)
  return Object.entries(names).reduce((line, [name, other]) => line.replaceAll(name, other), words)
}
