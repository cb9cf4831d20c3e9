import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { Disco } from '../support/disco.js'

const disco = new Disco('127.0.0.1:1')
const DEMO = fileURLToPath(new URL('../../examples/demo.js', import.meta.url))

afterEach(() => disco.stopAll())

describe('disco dev', () => {
  test('runs the demo to its end with exit code 0, and shows both policies, a live change and the events', async () => {
    const args = [
      '--port',
      '0',
      '--backends',
      '1,1,1,1,10',
      '--proxy-port',
      '0',
      '--',
      process.execPath,
      DEMO,
    ]
    const { code, stdout } = await disco.run('dev', ...args)
    expect(code).toBe(0)
    expect(stdout.match(/PASS/g)).toHaveLength(5)
    // 140 calls through the proxy: ten for each endpoint of weight 1, a hundred for the endpoint of weight 10.
    expect(stdout.match(/ 1 +10 +7\.1% +7\.1%/g)?.length).toBeGreaterThanOrEqual(4)
    expect(stdout).toMatch(/ 10 +100 +71\.4% +71\.4%/)
    expect(stdout).toContain('policy round_robin')
    expect(stdout).toMatch(/~ weight hello .* 10 → 2/)
    expect(stdout).toMatch(/- gone +hello .* deregistered/)
  }, 180_000)
})
