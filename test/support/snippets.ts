import { readFileSync } from 'node:fs'
import { pagesIn } from './pages.js'

/** A block of JavaScript or TypeScript of a page for users. */
export interface Snippet {
  /** Where it stands: `README.md:344`. */
  readonly place: string
  /** A name for a file: `README-344`. */
  readonly name: string
  readonly language: 'js' | 'ts'
  readonly code: string
}

/** A line of a page for users that runs the tool. */
export interface DocumentedCommand {
  readonly place: string
  readonly line: string
  /** Lines of one block share their context. */
  readonly block: number
}

const PAGES = pagesIn('.')

/**
 * All commands of README.md and docs/: lines of blocks that run `disco`, with a prompt before it or without one, and
 * code in tables, unless it has a part to fill in, such as `[SERVICE]`.
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
 * All blocks of JavaScript and TypeScript in README.md and docs/. The declarations in docs/api.md, which import
 * nothing, are no programs: `test/e2e/api-page.test.ts` compares them with the source.
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
