import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Exit code and last line of a run of one test file with a name filter. */
function runTests(filter: string): Promise<{ code: number; lastLine: string }> {
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/unit/domain/endpoint.test.ts', '-t', filter]
  const { PATH, HOME } = process.env
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: ROOT, env: { PATH, HOME } }, (_error, stdout) => {
      resolve({ code: child.exitCode ?? -1, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' })
    })
  })
}

test('a test run ends with its counts, and fails if no test ran', async () => {
  const [all, none] = await Promise.all([runTests(''), runTests('a name that no test has')])
  expect(all).toMatchObject({ code: 0, lastLine: expect.stringMatching(/^[1-9]\d* passed, 0 failed$/) })
  expect(none).toEqual({ code: 1, lastLine: '0 passed, 1 failed' })
})
