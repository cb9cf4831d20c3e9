import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const OTHERS_WRITE = 0o022

/**
 * Reads a regular file of this user. It is opened without blocking: a blocking open of, for example, a named pipe
 * would wait for a writer, occupy one of Node's few threads, and keep the process from ending.
 *
 * @throws Error for another kind of file, one that other users may write to, or one longer than `maxBytes`; and
 * errors of the system
 */
export async function readOwnFile(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new Error('not a regular file')
    requireOwn(found)
    if (found.size > maxBytes) throw new Error(`longer than ${maxBytes} bytes`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/**
 * Whether a folder belongs to this user and is not writable by others. False if it does not exist.
 *
 * @throws Error if it is not a folder, or other users own it or may write to it; and errors of the system
 */
export async function isOwnFolder(folder: string): Promise<boolean> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return false
  if (!found.isDirectory()) throw new Error('not a folder')
  requireOwn(found)
  return true
}

/** Stats of a regular file of this user; null for anything else, and for a missing file. */
export async function ownFile(file: string): Promise<Stats | null> {
  const found = await lstat(file).catch(() => null)
  return found?.isFile() && found.uid === (process.geteuid?.() ?? found.uid) ? found : null
}

/** Requires a file that only this user can write. Systems without user ids have no such modes, and are not checked. */
function requireOwn({ uid, mode }: Stats): void {
  if (process.geteuid === undefined) return
  if (uid !== process.geteuid()) throw new Error('another user owns it')
  if ((mode & OTHERS_WRITE) !== 0) throw new Error('other users can write to it')
}

/**
 * Creates a folder, and its parents. Node's own `recursive` never ends if the kernel answers ENOENT below an existing
 * folder, as /proc does.
 *
 * @throws Error of the system
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

/** Ignores that another process created the folder at the same time. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/**
 * Appends to a regular file of this user, and creates it if it is missing. The append is atomic. Opened without
 * blocking, as by `readOwnFile`.
 *
 * @returns the new length of the file in bytes
 * @throws Error for another kind of file, or one that other users may write to; and errors of the system
 */
export async function appendOwnFile(file: string, text: string): Promise<number> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
  const handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0o600)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new Error('not a regular file')
    requireOwn(found)
    await handle.write(text)
    return found.size + Buffer.byteLength(text)
  } finally {
    await handle.close()
  }
}
