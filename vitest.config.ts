import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { grpcJsFolder } from './test/support/grpc-js.js'

const UNIT = 'test/unit/**/*.test.ts'
const PROPERTY = 'test/property/**/*.test.ts'
const LONG = 'test/**/*.long.test.ts'

/** Of the integration tests, those whose result depends on what etcd answers. */
const INTEGRATION_ABOUT_ETCD = [
  'abort',
  'apply',
  'articles',
  'cache',
  'clean-exit',
  'data-centres',
  'dev-differences',
  'doctor-fix',
  'empty-service',
  'environment',
  'filtered-list',
  'live-changes',
  'live-registration',
  'owned-registration',
  'refusals',
  'registration',
  'resync-check',
  'shared-streams',
  'shift',
  'shift-back',
  'shift-conflict',
  'target-watch',
  'weight',
]

const ABOUT_ETCD = [
  ...['faults', 'conformance', 'fuzz'].map((folder) => `test/${folder}/**/*.test.ts`),
  ...INTEGRATION_ABOUT_ETCD.flatMap((name) =>
    existing(`test/integration/${name}.test.ts`, `test/integration/${name}.long.test.ts`),
  ),
]
/** Many operations: once is enough, on the version that the dev registry answers like. */
const LONG_FUZZ = 'test/fuzz/fuzz.long.test.ts'

/**
 * On which versions of etcd to run what is about etcd. The other projects run on the newest, so the long suite adds
 * the older one. `ETCD_BIN` is an etcd of its own.
 */
const ETCD_VERSIONS = process.env.ETCD_BIN ? [] : ['3.4', '3.5']

/** The oldest grpc-js that the peer dependency allows; the other projects run on the newest. */
const OLDEST_GRPC_JS = '1.14.0'

/** What uses grpc-js's experimental interface, and how calls come to be balanced by it. */
const ABOUT_GRPC_JS = ['grpc-contract', 'balancing', 'balancing-state', 'resolver', 'targets'].flatMap(
  (name) => existing(`test/integration/${name}.test.ts`),
)

/** Finds or fetches etcd and protoc before the first test file starts. */
const globalSetup = 'test/support/global-setup.ts'

/** `EFFORT=full` is for a quiet hour: CI has 90 minutes, also on a machine at half the usual speed. */
const LONG_EFFORT = process.env.EFFORT === 'full' ? 'full' : 'long'

export default defineConfig({
  test: {
    pool: 'forks',
    // Tests wait more than they work: two at a time also where the machine has no more than two cores.
    maxWorkers: 2,
    disableConsoleIntercept: true,
    reporters: ['default', './test/support/closing-line.ts'],
    // Cached lists of the tests must not mix with those of the person who runs them.
    env: { XDG_CACHE_HOME: fileURLToPath(new URL('node_modules/.cache/disco/lists', import.meta.url)) },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that may run beside each other mostly wait; more of them would leave none the time to keep its leases.
    maxConcurrency: 5,
    provide: { effort: 'quick' },
    projects: [
      {
        // No etcd and no built tool.
        extends: true,
        test: {
          name: 'unit',
          include: [UNIT, PROPERTY],
          exclude: [LONG],
          // The files of a worker share one module graph, which is built once.
          isolate: false,
          // A worker passes from one file to the next of its project, so this one's come after all others.
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Against etcd, gRPC servers and the built tool.
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [UNIT, PROPERTY, LONG],
          isolate: false,
          globalSetup,
        },
      },
      {
        // What waits for long, and the property tests once more with many more rounds.
        extends: true,
        test: { name: 'long', include: [LONG, PROPERTY], provide: { effort: LONG_EFFORT }, globalSetup },
      },
      {
        // With Go programs: Go and its libraries come from Debian's packages, some 300 MB.
        extends: true,
        test: { name: 'go', include: ['test/go/*.spec.ts'], globalSetup },
      },
      {
        extends: true,
        resolve: {
          alias: [
            {
              find: /^@grpc\/grpc-js$/,
              replacement: `${grpcJsFolder(OLDEST_GRPC_JS)}/build/src/index.js`,
            },
          ],
        },
        test: {
          name: `grpc-js ${OLDEST_GRPC_JS}`,
          include: ABOUT_GRPC_JS,
          env: { GRPC_JS_VERSION: OLDEST_GRPC_JS },
          globalSetup,
        },
      },
      ...ETCD_VERSIONS.map((version) => ({
        extends: true as const,
        test: {
          name: `etcd ${version}`,
          include: ABOUT_ETCD,
          exclude: version === '3.4' ? [LONG_FUZZ] : [],
          env: { ETCD_VERSION: version },
          globalSetup,
        },
      })),
    ],
  },
})

/** The files that exist. @throws Error if none does, as after a renaming: a project would silently lose its tests */
function existing(...files: string[]): string[] {
  const found = files.filter((file) => existsSync(new URL(file, import.meta.url)))
  if (found.length === 0) throw new Error(`No test file ${files.join(' or ')}`)
  return found
}
