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

const OTHERS = 0o077
const OTHERS_WRITE = 0o022

/** Beside the folder of cached lists (`disco`), from which all but the newest files are removed. */
const NAME = 'disco-code'

/**
 * The folder for compiled code below the user's cache folder (XDG Base Directory Specification, which has relative
 * paths ignored). Null if there is none: no home, or a system without user ids.
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
 * Makes the folder, and at most the cache folder around it. Only below a folder of this user: root that keeps its
 * user's HOME must not leave a folder there that the user cannot write to.
 *
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
 * The bytes of a regular file of this user that no other can write to, or null. Never waits, as opening a FIFO would.
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
