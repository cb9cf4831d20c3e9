import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const rows = readFileSync(new URL('docs/grpcurl.md', root), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| #'))
  .map((line) => line.split('|').map((cell) => cell.trim()))

test('docs/grpcurl.md has at least thirty issues, each once, and every issue that holds names an existing test file', () => {
  const issues = rows.flatMap(([, issue = '']) => issue.split(', '))
  expect(issues.length).toBeGreaterThanOrEqual(30)
  expect(new Set(issues).size).toBe(issues.length)
  for (const [, issue, , verdict = '', proof = ''] of rows) {
    expect(verdict, issue).toMatch(/^(holds|not yet|n\/a)\b/)
    if (!verdict.startsWith('holds')) continue
    const [, file = ''] = /^`(test\/.+\.test\.ts)`$/.exec(proof) ?? []
    expect(file !== '' && existsSync(new URL(file, root)), `${issue}: ${proof}`).toBe(true)
  }
})
