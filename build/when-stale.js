// Builds unless the last build is newer than everything that it is made of. A build empties dist/, which would break
// the tests of another run in the same clone.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const INPUTS = ['bin', 'build', 'package.json', 'package-lock.json', 'src', 'tsconfig.json']
/** The last file of a build: it is missing after a failed one. */
const LAST_PRODUCT = 'dist/bundle/THIRD-PARTY-NOTICES.txt'

/** Of a folder also its own time: it is that of the last removal. */
function newest(path) {
  const stats = statSync(path)
  const inside = stats.isDirectory() ? readdirSync(path).map((name) => newest(join(path, name))) : []
  return Math.max(stats.mtimeMs, ...inside)
}

const builtAtMs = statSync(join(ROOT, LAST_PRODUCT), { throwIfNoEntry: false })?.mtimeMs ?? 0
if (INPUTS.some((path) => newest(join(ROOT, path)) >= builtAtMs)) {
  execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: 'inherit' })
}
