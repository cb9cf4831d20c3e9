import { afterEach, expect, test, vi } from 'vitest'
import { Registry } from '../../../src/registry/registry.js'

vi.mock('node:os', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:os')>()),
  // Of a user id without an entry in the password database, with HOME unset.
  homedir: () => {
    throw new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)')
  },
}))

afterEach(() => vi.unstubAllEnvs())

test('a user without a home watches services without a cache, and is warned once', async () => {
  vi.stubEnv('XDG_CACHE_HOME', '')
  const warnings: string[] = []
  const onWarning = (message: string) => warnings.push(message)
  // The discard port: nothing listens there.
  const registry = await Registry.open({ endpoints: ['127.0.0.1:9'], cache: { onWarning } })
  try {
    for (const service of ['hello', 'other']) {
      const stop = new AbortController()
      const { value } = await registry.watch({ service }, stop.signal).next()
      expect(value).toMatchObject({ type: 'stale', cause: { code: 'ETCD_UNREACHABLE' } })
      stop.abort()
    }
  } finally {
    registry.close()
  }
  expect(warnings).toEqual(['Lists are not cached: the user has no home folder. Set XDG_CACHE_HOME'])
})
