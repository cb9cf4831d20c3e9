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

/**
 * All blocks of JavaScript and TypeScript in README.md and docs/. The declarations in docs/api.md, which import
 * nothing, are no programs: `test/e2e/api-page.test.ts` compares them with the source.
 */
export function snippetsOfDocs(): Snippet[] {
  const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]
  return pages.filter((page) => page.endsWith('.md')).flatMap(snippetsOf)
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
