import { readFileSync, statSync } from 'node:fs'
import { DOMParser } from '@xmldom/xmldom'
import { expect, test } from 'vitest'
import { commandsOfDocs } from '../support/snippets.js'

const FILE = 'docs/recording.svg'
const svg = new DOMParser().parseFromString(readFileSync(FILE, 'utf8'), 'image/svg+xml')

function textsOf(name: string): string[] {
  return Array.from(svg.getElementsByTagName(name), ({ textContent }) => textContent ?? '')
}

/** The rows of the last screen of the first terminal. */
function lastScreen(): string[] {
  const height = Number(svg.getElementsByTagName('rect')[0]?.getAttribute('height'))
  const texts = Array.from(svg.getElementsByTagName('text'))
    .map((row) => ({ row, y: Number(row.getAttribute('y')) }))
    .filter(({ row, y }) => y < height && !/^x /.test(row.getAttribute('class') ?? ''))
  return texts
    .toSorted((a, b) => a.y - b.y)
    .map(({ row }) => {
      let line = ''
      for (const part of Array.from(row.getElementsByTagName('tspan'))) {
        const [x, width] = ['x', 'textLength'].map((name) => Number(part.getAttribute(name)))
        const text = part.textContent ?? ''
        const cell = (width ?? 0) / [...text].length
        line = line.padEnd(Math.round(((x ?? 0) - 12) / cell)) + text
      }
      return line
    })
}

/** A command without its address and comment, which differ between runs. */
function withoutAddress(command: string): string {
  return command.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDR').replace(/\s+#.*$/, '')
}

test('the recording shows the commands that README lists for it', () => {
  const [, block = ''] = /npm run recording.*?```sh\n(.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? []
  const named = block.trim().split('\n').map(withoutAddress)
  const recorded = textsOf('desc')
    .join('')
    .split('\n')
    .map((line) => withoutAddress(line.replace('$ ', '')))
  expect(recorded).toEqual(named)
  const typed = textsOf('text').map((row) => withoutAddress(row))
  for (const command of named) expect(typed).toContain(`$ ${command}`)
  const ofDocs = commandsOfDocs().map(({ line }) => withoutAddress(line))
  expect(ofDocs).toEqual(expect.arrayContaining(named))
})

test('the watch output in README is the last screen of the recording', () => {
  const readme = readFileSync('README.md', 'utf8')
  const [, watch = ''] = /^The last screen of the watch:\n\n```\n(.*?)^```$/ms.exec(readme) ?? []
  expect(watch.trimEnd().split('\n')).toEqual(lastScreen())
})

test('the recording is small, and contains no script and no reference to another file', () => {
  const text = readFileSync(FILE, 'utf8')
  expect(text.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/<script|href|url\(|https?:/)
  expect(statSync(FILE).size).toBeLessThan(150_000)
})
