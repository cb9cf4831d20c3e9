import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/**
 * The wall clock can be set at any time: waits and deadlines go by `performance.now()`. Date.now() is for times
 * that are shown or stored (in files and certificates, too), and for a deadline that goes straight to grpc-js, which takes no other.
 */
const ALLOWED = [
  /\{ deadline: Date\.now\(\) \+ \w+(\(\))? \}/,
  /\b(sinceMs|seenAtMs)(:| =) Date\.now\(\)/,
  /\bseenAtMs = this\.isLive \? Date\.now\(\) : this\.seenAtMs/,
  /\bhasExpired\((tls\.)?certFile, Date\.now\(\)\)/,
  /\bmtimeMs < Date\.now\(\) - KEPT_MS/,
  /\b(sentMs|receivedMs)(:| =) Date\.now\(\)/,
  /\bageOfMs\(.*Date\.now\(\)\)/,
  /\bageMs = Math\.max\(0, Date\.now\(\) - list\.seenAtMs\)/,
]

/** Every line of a source that uses the wall clock in another way. */
function misuses(file: string, source: string): string[] {
  return source
    .split('\n')
    .filter((line) => line.includes('Date.now()') && !ALLOWED.some((form) => form.test(line)))
    .map((line) => `${file}: ${line.trim()}`)
}

const SRC = fileURLToPath(new URL('../../src', import.meta.url))

describe('the wall clock', () => {
  it('is not used for delays or deadlines in src/', () => {
    const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )
    expect(files.flatMap((file) => misuses(file, readFileSync(join(SRC, file), 'utf8')))).toEqual([])
  })

  it.each([
    'const end = Date.now() + 1_000',
    'while (Date.now() < end) await wait()',
    'const elapsedMs = Date.now() - startMs',
  ])('is found in a line that does: %s', (line) => {
    expect(misuses('x.ts', line)).toHaveLength(1)
  })
})
