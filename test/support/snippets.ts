import { readdirSync, readFileSync } from 'node:fs'

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

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((page) =>
  page.endsWith('.md'),
)

/** All lines of README.md and docs/ that run `disco`, with a prompt before it or without one. */
export function commandsOfDocs(): DocumentedCommand[] {
  return PAGES.flatMap((page) => {
    const text = readFileSync(page, 'utf8')
    return [...text.matchAll(/^```(?:sh)?\n(.*?)^```$/gms)].flatMap(({ 1: block = '', index }) => {
      const first = text.slice(0, index).split('\n').length + 1
      return block.split('\n').flatMap((written, at) => {
        const [, line] = /^(?:\$ )?(disco .*)$/.exec(written) ?? []
        return line === undefined ? [] : [{ place: `${page}:${first + at}`, line, block: first }]
      })
    })
  })
}

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
