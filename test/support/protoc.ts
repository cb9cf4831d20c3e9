import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from './debian-packages.js'

/** Where a fetched protoc is kept between runs: inside node_modules, so that a fresh clone starts clean. */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/protoc', import.meta.url))

/** The tests' own .proto files. */
export const PROTOS = fileURLToPath(new URL('./protos', import.meta.url))

/** Google's own, of the fetched protoc. */
export const GOOGLE_PROTOS = join(CACHE_FOLDER, 'usr/include')

/** Fetches Debian's protoc with its libraries and Google's .proto files, once. */
export function fetchProtoc(): void {
  if (existsSync(join(CACHE_FOLDER, 'usr/bin/protoc'))) return
  unpackPackages({ names: ['protobuf-compiler', 'libprotobuf-dev'], libraries: 'libproto' }, CACHE_FOLDER)
}

/** Runs the real protoc over the tests' .proto files. @returns its standard output */
export function protoc(args: readonly string[], input: string | Uint8Array = ''): Buffer {
  const libraries = join(CACHE_FOLDER, 'usr/lib')
  const folders = readdirSync(libraries).map((architecture) => join(libraries, architecture))
  const paths = ['-I', PROTOS, '-I', GOOGLE_PROTOS]
  return execFileSync(join(CACHE_FOLDER, 'usr/bin/protoc'), [...paths, ...args], {
    input,
    env: { LD_LIBRARY_PATH: folders.join(':') },
  })
}
