import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where fetched Nodes are kept between runs: inside node_modules, so that a fresh clone starts clean. */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/node', import.meta.url))

/** What users run beside the oldest supported one, on which all tests run anyway. */
export const NODE_VERSIONS = [22, 24] as const

/**
 * The folder that holds the newest `node` of a major version, fetched once: npm has a package for each platform
 * with nothing but that binary.
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
