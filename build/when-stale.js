// Builds unless the last build is newer than all of its inputs. A build empties dist/, which would break the tests of
// another run in the same clone.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const INPUTS = ['bin', 'build', 'package.json', 'package-lock.json', 'src', 'tsconfig.json']
/** The last file that a build writes: it is missing after a failed build. */
const LAST_PRODUCT = 'dist/bundle/THIRD-PARTY-NOTICES.txt'

/** The latest modification time of a path and everything in it. A folder's own time changes when a file is removed. */
function newest(path) {
  const stats = statSync(path)
  const inside = stats.isDirectory() ? readdirSync(path).map((name) => newest(join(path, name))) : []
  return Math.max(stats.mtimeMs, ...inside)
}

const builtAtMs = statSync(join(ROOT, LAST_PRODUCT), { throwIfNoEntry: false })?.mtimeMs ?? 0
if (INPUTS.some((path) => newest(join(ROOT, path)) >= builtAtMs)) {
  execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: 'inherit' })
}
