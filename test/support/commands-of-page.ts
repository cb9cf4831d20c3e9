import { readFileSync } from 'node:fs'

/** The commands in the shell blocks of a page of docs/, in order and without comments. */
export function commandsOf(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.trim().split('\n'))
  return lines.map((line) => line.replace(/ +#.*$/, '')).filter((line) => line !== '')
}

/**
 * A command of a page, which must be there exactly as `words`, with names replaced.
 *
 * @param names replacements by the name on the page
 * @throws Error if the page has no such command
 */
export function commandOf(page: string, words: string, names: Readonly<Record<string, string>> = {}): string {
  if (!commandsOf(page).includes(words)) throw new Error(`docs/${page} has no command ${words}`)
  return Object.entries(names).reduce((line, [name, other]) => line.replaceAll(name, other), words)
}
