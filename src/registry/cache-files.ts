import { constants } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Reads a file that may be anything, such as a named pipe that somebody put in its place: opening that would
 * wait for a writer, and keep one of Node's few threads, and with it the end of the process.
 *
 * @throws Error for what is not a regular file or is longer than `mostBytes`, and as the system reports it
 */
export async function readRegularFile(file: string, mostBytes: number): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new Error('not a regular file')
    if (found.size > mostBytes) throw new Error(`longer than ${mostBytes} bytes`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/**
 * Makes a folder, and those above it. Node's own `recursive` never ends where the kernel answers ENOENT below a
 * folder that exists, as /proc does.
 *
 * @throws Error as the system reports it
 */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = dirname(folder)
    if (code !== 'ENOENT' || (await isThere(parent))) throw error
    await makeFolder(parent, mode)
    await mkdir(folder, { mode }).catch(ignoreExisting)
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

/** Another process made it at the same time. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
