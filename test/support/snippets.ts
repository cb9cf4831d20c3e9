import { readFileSync } from 'node:fs'
import { pagesIn } from './pages.js'

/** A JavaScript or TypeScript block of a page for users. */
export interface Snippet {
  /** Its file and line, such as `README.md:344`. */
  readonly place: string
  /** Its name in file names, such as `README-344`. */
  readonly name: string
  readonly language: 'js' | 'ts'
  readonly code: string
}

/** A command line of the tool in a page for users. */
export interface DocumentedCommand {
  readonly place: string
  readonly line: string
  /** Number of the block: lines of one block share their context. */
  readonly block: number
}

const PAGES = pagesIn('.')

/**
 * All commands in README.md and docs/: lines of code blocks that run `disco`, with or without a prompt, and code in
 * tables, unless it has a placeholder such as `[SERVICE]`.
 */
export function commandsOfDocs(): DocumentedCommand[] {
  return PAGES.flatMap((page) => {
    const text = readFileSync(page, 'utf8')
    const at = (index: number) => text.slice(0, index).split('\n').length
    const ofBlocks = [...text.matchAll(/^```(?:sh)?\n(.*?)^```$/gms)].flatMap(({ 1: block = '', index }) => {
      const first = at(index) + 1
      return block.split('\n').flatMap((written, row) => {
        const [, line] = /^(?:\$ )?(disco .*)$/.exec(written) ?? []
        return line === undefined ? [] : [{ place: `${page}:${first + row}`, line, block: first }]
      })
    })
    const ofTables = [...text.matchAll(/^(?:\|.*\n)+/gm)].flatMap(({ 0: table, index }) => {
      const first = at(index)
      return table.split('\n').flatMap((row, below) =>
        [...row.matchAll(/`(disco [^`]*)`/g)]
          .map(([, line = '']) => line.replaceAll('\\|', '|'))
          .filter((line) => !PART_TO_FILL_IN.test(line))
          .map((line) => ({ place: `${page}:${first + below}`, line, block: first })),
      )
    })
    return [...ofBlocks, ...ofTables]
  })
}

const PART_TO_FILL_IN = /[[…]|\b[A-Z]{2,}\b|\||^disco \w+( --[\w-]+)?$/

/**
 * All blocks of JavaScript and TypeScript in README.md and docs/. The declarations in docs/api.md have no imports and
 * are not programs: `test/e2e/api-page.test.ts` compares them with the source.
 */
export function snippetsOfDocs(): Snippet[] {
  return PAGES.flatMap(snippetsOf)
}

function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].flatMap(({ 1: language, 2: code = '', index }) => {
    if (page === 'docs/api.md' && !/^import /m.test(code)) return []
    const line = text.slice(0, index).split('\n').length + 1
    const name = `${page.replace(/^.*\/|\.md$/g, '')}-${line}`
    return [{ place: `${page}:${line}`, name, language: language as 'js' | 'ts', code }]
  })
}
