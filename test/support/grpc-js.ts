import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where fetched versions are kept between runs: inside node_modules, so that a fresh clone starts clean. */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/grpc-js', import.meta.url))

/** The folder of that version of grpc-js, with what it needs beside it; `fetchGrpcJs` puts it there. */
export function grpcJsFolder(version: string): string {
  return join(CACHE_FOLDER, version, 'node_modules/@grpc/grpc-js')
}

/** Fetches a version of grpc-js once, by npm. */
export function fetchGrpcJs(version: string): string {
  const folder = grpcJsFolder(version)
  if (existsSync(join(folder, 'package.json'))) return folder
  const prefix = join(CACHE_FOLDER, version)
  mkdirSync(prefix, { recursive: true })
  const options = ['--prefix', prefix, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit']
  execFileSync('npm', ['install', ...options, '--no-fund', `@grpc/grpc-js@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return folder
}
