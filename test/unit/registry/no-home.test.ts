import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Registry } from '../../../src/registry/registry.js'

// Not by vi.mock: the files of a worker share one module graph, in which node:os may be loaded already.
beforeEach(() => {
  // Of a user id without an entry in the password database, with HOME unset.
  vi.spyOn(os, 'homedir').mockImplementation(() => {
    throw new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)')
  })
  syncBuiltinESMExports()
})
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  vi.unstubAllEnvs()
})

test('a user without a home folder watches services without a cache, and is warned once', async () => {
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
