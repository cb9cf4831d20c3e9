import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Tests wait more than they work: two at a time also where the machine has no more than two cores.
    maxWorkers: 2,
    disableConsoleIntercept: true,
    globalSetup: 'test/support/global-setup.ts',
    reporters: ['default', './test/support/closing-line.ts'],
    // Lists that a test keeps must not meet those of the person who runs it.
    env: { XDG_CACHE_HOME: fileURLToPath(new URL('node_modules/.cache/disco/lists', import.meta.url)) },
    testTimeout: 60_000,
    // Tests that may run beside each other mostly wait; more of them would leave none the time to keep its leases.
    maxConcurrency: 5,
    hookTimeout: 60_000,
  },
})
