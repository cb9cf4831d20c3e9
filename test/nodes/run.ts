import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchNode, NODE_VERSIONS } from './node-binary.js'

/**
 * The tests of what differs between versions of Node: how modules and the code cache are loaded, streams, pipes,
 * files, terminals, signals, TLS and HTTP/2. Every other test would only run the same JavaScript again.
 */
const ABOUT_NODE = [
  ...named('unit', 'agent etcd grpc net xds'),
  ...named(
    'integration',
    'abort balancing clean-exit dev- greeter grpc- health library-forms live-registration',
  ),
  ...named('integration', 'proxy- resolver shared-streams short-connections'),
  ...named(
    'e2e',
    'call-interrupted call-run call-streams code-cache completion dev ends examples health-tls',
  ),
  ...named('e2e', 'input output-formats package proxy public-docs register start-up streams supervise-end'),
  ...named('e2e', 'text-files watch-exec watch-terminal xds'),
]

/**
 * `npm run test:nodes [-- FILES…]`: runs {@link ABOUT_NODE} under each of {@link NODE_VERSIONS}. Processes that a test
 * starts use the same Node.
 */
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const given = process.argv.slice(2)
const files = given.length > 0 ? given : ABOUT_NODE

for (const version of NODE_VERSIONS) {
  const bin = fetchNode(version)
  const node = join(bin, 'node')
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  console.log(`Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  const args = [VITEST, 'run', '--project', 'unit', '--project', 'system', ...files]
  const { status } = spawnSync(node, args, { stdio: 'inherit', env })
  if (status !== 0) process.exitCode = 1
}

/** @param starts of file names, separated by spaces. @throws Error if no file has such a name, as after a renaming */
function named(folder: string, starts: string): string[] {
  const files = readdirSync(new URL(`../${folder}/`, import.meta.url))
  return starts.split(' ').map((start) => {
    // Files of the long suite are in neither of the projects.
    const isRun = (file: string) => file.startsWith(start) && !file.endsWith('.long.test.ts')
    if (!files.some(isRun)) throw new Error(`No test in test/${folder}: ${start}…`)
    return `test/${folder}/${start}`
  })
}
