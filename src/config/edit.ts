import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DiscoError } from '../domain/errors.js'
import { systemMessage } from '../domain/system-message.js'
import { type Config, configIn, readConfig } from './contexts.js'
import { readTextFile } from './text-file.js'
import { editYaml, type YamlEdit } from './yaml.js'

const LOCK_RETRY_MS = 20

/** Age at which a lock is removed. An edit takes milliseconds, so a killed process has left the lock. */
const STALE_LOCK_MS = 5_000

/** How long an edit waits for the lock. */
const LOCK_DEADLINE_MS = 15_000

/**
 * Changes the user's file of contexts. A lock excludes other processes. The new file replaces the old one atomically,
 * with mode 0600.
 *
 * @param edit computes the changes from the current content
 * @throws DiscoError USAGE for a file that cannot be read or written, and errors of `edit`
 */
export async function editConfig(file: string, edit: (now: Config) => readonly YamlEdit[]): Promise<void> {
  try {
    await makeFolder(dirname(file))
    // A symbolic link to a file elsewhere stays a link.
    const target = await realpath(file).catch(() => file)
    await locked(`${target}.lock`, async () => {
      const edits = edit(await readConfig(target))
      const text = editYaml((await readTextFile(target))?.text ?? '', edits)
      configIn(target, text)
      await replace(target, text)
    })
  } catch (cause) {
    if (cause instanceof DiscoError) throw cause
    throw new DiscoError('USAGE', `Cannot write ${file}: ${systemMessage(cause)}`, { cause })
  }
}

async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Runs `act` while this process holds the lock. */
async function locked(lock: string, act: () => Promise<void>): Promise<void> {
  const end = performance.now() + LOCK_DEADLINE_MS
  let seen = { id: '', sinceMs: 0 }
  while (!(await take(lock))) {
    if (performance.now() > end) throw new Error(`another process holds ${lock}`)
    const id = await idOf(lock)
    if (id === '' || id !== seen.id) seen = { id, sinceMs: performance.now() }
    else if (performance.now() - seen.sinceMs > STALE_LOCK_MS) await rm(lock, { force: true })
    await delay(LOCK_RETRY_MS)
  }
  try {
    await act()
  } finally {
    await rm(lock, { force: true })
  }
}

/** Creates the lock file; false if it exists. */
async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The identity of the current lock file; empty if there is none. */
async function idOf(lock: string): Promise<string> {
  const found = await stat(lock).catch(() => null)
  return found === null ? '' : `${found.ino} ${found.birthtimeMs} ${found.mtimeMs}`
}

/** Creates the folder and its parent, but no more: a mistaken path must not become a tree of folders. */
async function makeFolder(folder: string): Promise<void> {
  for (const made of [dirname(folder), folder]) {
    await mkdir(made, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}
