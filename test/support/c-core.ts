import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { unpackPackages } from './debian-packages.js'

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/grpcio', import.meta.url))
const CLIENT = fileURLToPath(new URL('./c-core.py', import.meta.url))

/**
 * Makes unary calls with gRPC’s C core (Debian’s python3-grpcio, downloaded once) over one connection.
 *
 * @returns the number of replies by backend, from the trailer `x-addr`
 */
export async function callByCCore(
  target: string,
  path: string,
  calls: number,
): Promise<Readonly<Record<string, number>>> {
  const { python, env } = pythonWithGrpc()
  const { stdout } = await promisify(execFile)(python, [CLIENT, target, path, String(calls)], { env })
  return JSON.parse(stdout) as Record<string, number>
}

/** Python with gRPC’s C core: the interpreter and its environment. */
export function pythonWithGrpc(): {
  readonly python: string
  readonly env: Readonly<Record<string, string>>
} {
  if (!existsSync(FOLDER)) unpackPackages({ names: ['python3-grpcio'], complete: true }, FOLDER)
  const env = {
    LD_LIBRARY_PATH: `${FOLDER}/usr/lib/x86_64-linux-gnu`,
    PYTHONPATH: `${FOLDER}/usr/lib/python3/dist-packages`,
  }
  const own = `${FOLDER}/usr/bin/python3.11`
  return { python: existsSync(own) ? own : '/usr/bin/python3', env }
}
