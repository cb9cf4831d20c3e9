import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchNode, NODE_VERSIONS } from './node-binary.js'

/**
 * `npm run test:nodes [-- FILES…]`: runs the tests of the units, the command line and the library under each of {@link
 * NODE_VERSIONS}. Processes that a test starts use the same Node.
 */
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const given = process.argv.slice(2)
const files = given.length > 0 ? given : ['test/unit', 'test/e2e', 'test/integration']

for (const version of NODE_VERSIONS) {
  const bin = fetchNode(version)
  const node = join(bin, 'node')
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  console.log(`Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  const args = [VITEST, 'run', '--project', 'unit', '--project', 'system', ...files]
  const { status } = spawnSync(node, args, { stdio: 'inherit', env })
  if (status !== 0) process.exitCode = 1
}
