import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pack } from '../support/pack.js'
import { anchorsOf, linksOf, pagesIn } from '../support/pages.js'

const CLONE = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
/** Folder of the package as npm unpacks it. */
let installed: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-links-'))
  execFileSync('tar', ['-xf', pack(folder), '-C', folder])
  installed = join(folder, 'package')
})

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

/** Broken links in the pages below a folder, each with its page: the file, or the heading in it, does not exist. */
function brokenIn(root: string): string[] {
  return pagesIn(root).flatMap((page) => {
    const broken = linksOf(read(root, page)).filter((link) => !leads(root, page, link))
    return broken.map((link) => `${page}: ${link}`)
  })
}

function leads(root: string, page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(read(root, target)).has(anchor)
}

function read(root: string, page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

describe('every relative link and image in README and docs leads to an existing file, and its anchor to a heading', () => {
  test('in the repository', () => {
    expect(pagesIn(CLONE).flatMap((page) => linksOf(read(CLONE, page))).length).toBeGreaterThan(0)
    expect(brokenIn(CLONE)).toEqual([])
  })

  test('in the package, which has the same pages', () => {
    expect(pagesIn(installed)).toEqual(pagesIn(CLONE))
    expect(brokenIn(installed)).toEqual([])
  })

  test('a link to a missing file or heading is reported', () => {
    expect(leads(CLONE, 'docs/wait.md', 'missing.md')).toBe(false)
    expect(leads(CLONE, 'docs/library.md', '../README.md#missing')).toBe(false)
    expect(linksOf('see [a](b.md#c) and ![d](e.svg), not `[f](g)` or [h](https://i)')).toEqual([
      'b.md#c',
      'e.svg',
    ])
  })
})
