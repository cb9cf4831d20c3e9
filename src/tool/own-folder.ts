import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/** Mode bits of the group and of other users. */
const OTHERS = 0o077
const OTHERS_WRITE = 0o022

/**
 * The name of the folder. It is not the folder of cached lists (`disco`), from which all but the newest files are
 * removed.
 */
const NAME = 'disco-code'

/**
 * The folder for compiled code below the user's cache folder (XDG Base Directory Specification, by which relative paths
 * are ignored). Null if the user has no home folder, or the system has no user ids.
 */
export function codeFolder(env: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_CACHE_HOME: cacheHome = '' } = env
  if (process.geteuid === undefined) return null
  if (isAbsolute(cacheHome)) return join(cacheHome, NAME)
  const home = homedir()
  return isAbsolute(home) ? join(home, '.cache', NAME) : null
}

/** Whether the folder is a directory of this user, closed to all others. @throws the file system's errors */
export function isOwnFolder(folder: string): boolean {
  const stats = lstatSync(folder)
  return stats.isDirectory() && isOurs(stats) && (stats.mode & OTHERS) === 0
}

/**
 * Creates the folder and, if needed, its parent, but only inside a folder of this user: root with the HOME of another
 * user must not leave a folder there that this other user cannot write to.
 *
 * @returns whether the folder now passes `isOwnFolder`
 * @throws the file system's errors
 */
export function makeOwnFolder(folder: string): boolean {
  const around = dirname(folder)
  for (const made of [around, folder]) {
    try {
      if (isOurs(lstatSync(dirname(made)))) mkdirSync(made, 0o700)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return isOwnFolder(folder)
}

/**
 * The bytes of a regular file of this user that no other user can write to; null for any other file, or a larger one.
 * It does not block on a FIFO.
 *
 * @throws the file system's errors
 */
export function readOwnFile(file: string, maxBytes: number): Buffer | null {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(descriptor)
    const isPrivate = isOurs(stats) && (stats.mode & OTHERS_WRITE) === 0 && stats.nlink === 1
    if (!stats.isFile() || !isPrivate || stats.size > maxBytes) return null
    const bytes = Buffer.allocUnsafe(stats.size)
    let length = 0
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null)
      if (read === 0) return null
      length += read
    }
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

function isOurs({ uid }: Stats): boolean {
  return uid === process.geteuid?.()
}
