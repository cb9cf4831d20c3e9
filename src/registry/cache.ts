import { createHash, randomUUID } from 'node:crypto'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { isOwnFolder, makeFolder, ownFile, readOwnFile } from './cache-files.js'
import { type CachedList, readCachedList, withLeaseId } from './cached-list.js'

/** Version of the file format. */
const FORMAT = 2

/** The former format, with decimal lease ids. Still read, because the tool may be upgraded during an outage of etcd. */
const DECIMAL_LEASES_FORMAT = 1

/** Maximum size of a stored list: about 50,000 endpoints. */
const MAX_BYTES = 16 * 1024 * 1024

/** Maximum number of stored lists; the oldest are removed. */
const MAX_FILES = 64

/** Name of a stored list, or of a temporary file that a killed process left behind. */
const OWN_NAME = /^[0-9a-f]{32}\.json(?:\.[0-9a-f-]{36})?$/

/** Identity of a list: other clusters, layouts and roots may have a service of the same name. */
export interface CacheTarget {
  /** The etcd members, in any order. */
  readonly members: readonly string[]
  readonly layout: string
  readonly root: string
  readonly service: string
}

/**
 * The last good list of each target, on disk, for a start without etcd. A failed read or write is not an error: it is
 * reported once, as a warning.
 */
export class ListCache {
  private hasWarned = false

  constructor(
    private readonly folder: string,
    private readonly onWarning: (message: string) => void,
  ) {}

  /** The stored list; null if there is none that can be used. */
  async read(target: CacheTarget): Promise<CachedList | null> {
    const file = this.fileOf(target)
    let text: string
    try {
      if (!(await isOwnFolder(this.folder))) return null
    } catch (error) {
      this.warn(`The cache folder ${this.folder} is not used`, error)
      return null
    }
    try {
      text = await readOwnFile(file, MAX_BYTES)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.warn(`The cached list ${file} is not used`, error)
      return null
    }
    const list = parse(text, target)
    if (list === null) this.warn(`${file} is damaged, and ignored`)
    return list
  }

  /**
   * Replaces the file atomically: a reader sees the old list or the new one. A list that is empty or too long is not
   * stored, and removes the stored one. Only etcd can confirm that a service is empty.
   */
  async write(target: CacheTarget, list: CachedList): Promise<void> {
    const file = this.fileOf(target)
    const draft = `${file}.${randomUUID()}`
    try {
      const isThere = await isOwnFolder(this.folder)
      const text = JSON.stringify({ format: FORMAT, target: identityOf(target), ...list })
      if (list.endpoints.length === 0 || Buffer.byteLength(text) > MAX_BYTES) {
        if (isThere) await rm(file, { force: true })
        return
      }
      if (!isThere) await makeFolder(this.folder, 0o700)
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
      await rename(draft, file)
      await this.trim()
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined)
      this.warn(`The cache folder ${this.folder} is not used`, error)
    }
  }

  /** Removes the oldest lists. Files of other programs are not touched. */
  private async trim(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => OWN_NAME.test(name))
    if (names.length <= MAX_FILES) return
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(this.folder, name)
        return { file, mtimeMs: (await ownFile(file))?.mtimeMs }
      }),
    )
    const own = files.flatMap(({ file, mtimeMs }) => (mtimeMs === undefined ? [] : [{ file, mtimeMs }]))
    own.sort((a, b) => b.mtimeMs - a.mtimeMs)
    await Promise.all(own.slice(MAX_FILES).map(({ file }) => rm(file, { force: true })))
  }

  private fileOf(target: CacheTarget): string {
    const hash = createHash('sha256').update(identityOf(target)).digest('hex')
    return join(this.folder, `${hash.slice(0, 32)}.json`)
  }

  private warn(message: string, cause?: unknown): void {
    if (this.hasWarned) return
    this.hasWarned = true
    this.onWarning(cause instanceof Error ? `${message}: ${cause.message}` : message)
  }
}

/**
 * The folder for caches (XDG Base Directory Specification, which ignores relative paths). Null for a user without a
 * home.
 */
export function defaultCacheFolder(
  env: Readonly<Record<string, string | undefined>>,
  homeOf: () => string = homedir,
): string | null {
  const { XDG_CACHE_HOME: folder = '' } = env
  if (isAbsolute(folder)) return join(folder, 'disco')
  try {
    const home = homeOf()
    return isAbsolute(home) ? join(home, '.cache', 'disco') : null
  } catch {
    // The user id has no entry in the password database, as in many containers.
    return null
  }
}

function identityOf({ members, layout, root, service }: CacheTarget): string {
  return JSON.stringify([[...members].sort(), layout, root, service])
}

function parse(text: string, target: CacheTarget): CachedList | null {
  try {
    const members = JSON.parse(text) as Readonly<Record<string, unknown>>
    const { format, endpoints } = members
    if (members.target !== identityOf(target)) return null
    if (format === DECIMAL_LEASES_FORMAT && Array.isArray(endpoints)) {
      return readCachedList({ ...members, endpoints: endpoints.map(withLeaseId) }, target.service)
    }
    return format === FORMAT ? readCachedList(members, target.service) : null
  } catch {
    return null
  }
}
