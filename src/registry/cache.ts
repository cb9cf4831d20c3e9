import { createHash, randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { makeFolder, readRegularFile } from './cache-files.js'

/** Says how a file is laid out; a file with another number is as good as none. */
const FORMAT = 1

/** A list of some 50,000 endpoints. What is longer is not kept. */
const MOST_BYTES = 16 * 1024 * 1024

/** More targets than this are not kept: those seen longest ago go. */
const MOST_FILES = 64

/** Whose list it is: the same service name means another one in another cluster, or under another layout or root. */
export interface CacheTarget {
  /** The etcd members, in any order. */
  readonly members: readonly string[]
  readonly layout: string
  readonly root: string
  readonly service: string
}

export interface CachedList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** When the list was last known to be right, in milliseconds since the epoch. */
  readonly seenAtMs: number
}

/**
 * The last good list of each target, on disk, for a start without etcd. It is a convenience: what cannot be
 * read or written is told once, as a warning, and is no error.
 */
export class ListCache {
  private hasWarned = false

  constructor(
    private readonly folder: string,
    private readonly onWarning: (message: string) => void,
  ) {}

  /** Null where there is none, or none that can be used. */
  async read(target: CacheTarget): Promise<CachedList | null> {
    const file = this.fileOf(target)
    let text: string
    try {
      text = await readRegularFile(file, MOST_BYTES)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.warn(`Cannot read ${file}`, error)
      return null
    }
    const list = parse(text, target)
    if (list === null) this.warn(`${file} is damaged, and ignored`)
    return list
  }

  /**
   * Replaces the file in one step: a reader sees the old list or the new one. A list without endpoints is not
   * kept, nor is what stood there before it: only etcd can say that a service is empty.
   */
  async write(target: CacheTarget, list: CachedList): Promise<void> {
    const file = this.fileOf(target)
    const draft = `${file}.${randomUUID()}`
    try {
      if (list.endpoints.length === 0) return await rm(file, { force: true })
      const text = JSON.stringify({ format: FORMAT, target: named(target), ...list })
      if (Buffer.byteLength(text) > MOST_BYTES) return await rm(file, { force: true })
      await makeFolder(this.folder, 0o700)
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
      await rename(draft, file)
      await this.trim()
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined)
      this.warn(`Cannot write to ${this.folder}`, error)
    }
  }

  private async trim(): Promise<void> {
    const names = await readdir(this.folder)
    if (names.length <= MOST_FILES) return
    const files = await Promise.all(names.map((name) => ageOf(join(this.folder, name))))
    files.sort((a, b) => b.mtimeMs - a.mtimeMs)
    await Promise.all(files.slice(MOST_FILES).map(({ file }) => rm(file, { force: true })))
  }

  private fileOf(target: CacheTarget): string {
    const hash = createHash('sha256').update(named(target)).digest('hex')
    return join(this.folder, `${hash.slice(0, 32)}.json`)
  }

  private warn(message: string, cause?: unknown): void {
    if (this.hasWarned) return
    this.hasWarned = true
    this.onWarning(cause instanceof Error ? `${message}: ${cause.message}` : message)
  }
}

/** Where caches belong (XDG Base Directory Specification). */
export function defaultCacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'disco')
}

function named({ members, layout, root, service }: CacheTarget): string {
  return JSON.stringify([[...members].sort(), layout, root, service])
}

/** A file that another process removed meanwhile is as old as can be. */
async function ageOf(file: string): Promise<{ file: string; mtimeMs: number }> {
  const mtimeMs = await stat(file).then(
    (found) => found.mtimeMs,
    () => 0,
  )
  return { file, mtimeMs }
}

function parse(text: string, target: CacheTarget): CachedList | null {
  try {
    const { format, target: of, revision, seenAtMs, endpoints } = JSON.parse(text) as Record<string, unknown>
    const isList = format === FORMAT && of === named(target) && Array.isArray(endpoints)
    if (!isList || !Number.isSafeInteger(revision) || !Number.isFinite(seenAtMs)) return null
    if (!endpoints.every(isEndpoint)) return null
    return { revision: revision as Revision, seenAtMs: seenAtMs as number, endpoints }
  } catch {
    return null
  }
}

function isEndpoint(value: unknown): value is Endpoint {
  if (typeof value !== 'object' || value === null) return false
  const { key, service, version, addr, weight, layout, problem, metadata, lease } = value as Record<
    string,
    unknown
  >
  const areTexts = [key, service, version, addr, layout].every((text) => typeof text === 'string')
  const areTextsOrNull = [problem, lease].every((text) => text === null || typeof text === 'string')
  const isWeight = Number.isFinite(weight) && (weight as number) >= 0
  return areTexts && areTextsOrNull && isWeight && typeof metadata === 'object' && metadata !== null
}
