import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Writes what `npm publish` would send into a folder; the path of the tarball. */
export function pack(folder: string): string {
  // The build is there already, and must not be made anew below tests that use it.
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
  const name = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return join(folder, name)
}
