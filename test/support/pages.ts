import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The pages for users below a folder: README.md and docs/. */
export function pagesIn(folder: string): string[] {
  const docs = readdirSync(join(folder, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name}`)]
}

/** Relative targets of the links and images in a page, with their anchors. Code blocks are ignored. */
export function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown)
  const targets = [
    ...prose.matchAll(/\]\(([^)\s]+)\)|<(?:img|a|source)\b[^>]*?(?:src|href|srcset)="([^"]+)"/g),
  ]
  return targets.map(([, link = '', attribute = '']) => link || attribute).filter((to) => !/^\w+:/.test(to))
}

/** The anchors that GitHub generates for the headings of a page. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutBlocks(markdown).matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    let anchor = slug
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

function withoutCode(markdown: string): string {
  return withoutBlocks(markdown).replaceAll(/`[^`\n]*`/g, '`code`')
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```$/gms, '')
}
