import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Cache of downloaded Node versions between runs. It is inside node_modules, so that a fresh clone starts without it.
 */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/node', import.meta.url))

/** Node versions that users run besides the oldest supported one, on which all tests run by default. */
export const NODE_VERSIONS = [22, 24] as const

/**
 * The folder with the newest `node` of a major version, downloaded once from npm, which has a package for each platform
 * with only this binary.
 */
export function fetchNode(major: number): string {
  const folder = join(CACHE_FOLDER, String(major))
  const name = `node-${process.platform}-${process.arch}`
  const bin = join(folder, 'node_modules', name, 'bin')
  if (existsSync(join(bin, 'node'))) return bin
  mkdirSync(folder, { recursive: true })
  const options = [
    '--prefix',
    folder,
    '--no-save',
    '--no-package-lock',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]
  execFileSync('npm', ['install', ...options, `${name}@${major}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  return bin
}
