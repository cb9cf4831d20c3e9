import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from './debian-packages.js'

/** Cache of a downloaded protoc between runs. It is inside node_modules, so that a fresh clone starts without it. */
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/protoc', import.meta.url))

/** Folder of the tests’ .proto files. */
export const PROTOS = fileURLToPath(new URL('./protos', import.meta.url))

/** Folder of Google’s .proto files, from the downloaded protoc. */
export const GOOGLE_PROTOS = join(CACHE_FOLDER, 'usr/include')

/** Downloads Debian’s protoc with its libraries and Google’s .proto files once. */
export function fetchProtoc(): void {
  if (existsSync(join(CACHE_FOLDER, 'usr/bin/protoc'))) return
  unpackPackages({ names: ['protobuf-compiler', 'libprotobuf-dev'], libraries: 'libproto' }, CACHE_FOLDER)
}

/** Runs protoc on the tests’ .proto files. @returns its standard output */
export function protoc(args: readonly string[], input: string | Uint8Array = ''): Buffer {
  const libraries = join(CACHE_FOLDER, 'usr/lib')
  const folders = readdirSync(libraries).map((architecture) => join(libraries, architecture))
  const paths = ['-I', PROTOS, '-I', GOOGLE_PROTOS]
  return execFileSync(join(CACHE_FOLDER, 'usr/bin/protoc'), [...paths, ...args], {
    input,
    env: { LD_LIBRARY_PATH: folders.join(':') },
  })
}
