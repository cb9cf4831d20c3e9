import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Cache of downloaded versions between runs. It is inside node_modules, so that a fresh clone starts without it. */
const CACHE_FOLDER = fileURLToPath(
  new URL('../../node_modules/.cache/disco/grpc-js-versions', import.meta.url),
)

/** The folder of a version of grpc-js with its dependencies, into which `fetchGrpcJs` downloads it. */
export function grpcJsFolder(version: string): string {
  return join(CACHE_FOLDER, version, 'node_modules/@grpc/grpc-js')
}

/** Downloads a version of grpc-js once from npm. */
export function fetchGrpcJs(version: string): string {
  const folder = grpcJsFolder(version)
  if (!existsSync(join(folder, 'package.json')))
    install(join(CACHE_FOLDER, version), [`@grpc/grpc-js@${version}`])
  return folder
}

/**
 * Downloads grpc-js with its xDS client once from npm: 19 MB, which no other test needs. Returns the folder to load
 * them from.
 */
export function fetchGrpcJsXds(): string {
  const prefix = join(CACHE_FOLDER, 'xds')
  if (!existsSync(join(prefix, 'node_modules/@grpc/grpc-js-xds/package.json')))
    install(prefix, [`@grpc/grpc-js@${XDS_VERSIONS.grpcJs}`, `@grpc/grpc-js-xds@${XDS_VERSIONS.xds}`])
  return prefix
}

const XDS_VERSIONS = { grpcJs: '1.14.7', xds: '1.14.1' }

/** Two test files may do this at the same time, so each installs into a folder of its own, and the first one is kept. */
function install(prefix: string, packages: readonly string[]): void {
  mkdirSync(CACHE_FOLDER, { recursive: true })
  const own = mkdtempSync(`${prefix}-`)
  const options = ['--prefix', own, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit']
  try {
    execFileSync('npm', ['install', ...options, '--no-fund', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    renameSync(own, prefix)
  } catch (error) {
    rmSync(own, { recursive: true, force: true, maxRetries: 5 })
    if (!existsSync(prefix)) throw error
  }
}
