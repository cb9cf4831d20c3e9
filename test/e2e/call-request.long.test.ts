import { describe, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { ALL_READY, callsOfHello } from '../support/calls-of-hello.js'
import { hundredGreeters } from '../support/greeters.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('the content of a call', () => {
  test('has hash keys that spread calls if they contain a placeholder, and otherwise keep them on one endpoint', async () => {
    await hundred.registerSteady(hello.etcd)
    const used = async (key: string) => {
      const args = [...ALL_READY, '--n', '600', '--policy', 'ring_hash', '--hash-key', key, '--json']
      // The exit code is that of the verdict, which does not matter here.
      const doc = JSON.parse((await hello.run(...args)).stdout) as CallDoc
      return doc.endpoints.filter(({ picks }) => picks > 0).length
    }
    expect(await used('user')).toBe(1)
    expect(await used('user-{{n}}')).toBeGreaterThan(50)
  }, 120_000)
})
