import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Writes the package that `npm publish` would upload into a folder. Returns the path of the tarball. */
export function pack(folder: string): string {
  // The build exists already. Rebuilding it would replace files that running tests use.
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
  const name = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  return join(folder, name)
}
