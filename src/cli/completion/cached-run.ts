import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { configFile, projectFile } from '../../config/locations.js'

/** The age up to which a document is used without a new run. */
const FRESH_MS = 5_000

/** The age up to which a document is used if a new one does not arrive in time. */
const USABLE_MS = 3_600_000

/** The age at which a draft counts as left by a killed run, and is deleted so that a new run can start. */
const ABANDONED_MS = 10_000

const POLL_MS = 10

const BESIDE_CACHED_LISTS = 'disco-completion'

/** A command of this tool whose JSON document is kept in a file. */
export interface CachedRun {
  /** The command with its arguments and flags, such as `['ls', 'hello', '-C', 'staging']`. */
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The end of the wait for a new document, in milliseconds since the start of this process. */
  readonly deadlineMs: number
}

/**
 * The document that the command prints. If the document in the cache is older than 5 s, the command runs again in the
 * background. Its process outlives this one, so that the next completion has the answer even if the registry is slow.
 *
 * @returns null if by the deadline there is no document of at most an hour, or if there is no folder for the cache
 */
export async function cachedRun(run: CachedRun): Promise<object | null> {
  const folder = folderIn(run.env)
  if (folder === null) return null
  const file = join(folder, `${identityOf(run)}.json`)
  if ((await ageOf(file)) > FRESH_MS) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    startInBackground(run.argv, file)
    while ((await ageOf(file)) > FRESH_MS && performance.now() < run.deadlineMs) await delay(POLL_MS)
  }
  if ((await ageOf(file)) > USABLE_MS) return null
  return JSON.parse(await readFile(file, 'utf8')) as object
}

/** The file that the running command writes. It is renamed to `file` when complete. */
export function draftOf(file: string): string {
  return `${file}.draft`
}

const CACHED = /^[0-9a-f]{32}\.json(?:\.draft)?$/

/**
 * Deletes the documents and drafts in the folder of `file` that are too old to be used. They would pile up, since each
 * change of a service name or a setting makes a new file.
 */
export function removeUnusable(file: string): void {
  const folder = dirname(file)
  for (const name of readdirSync(folder).filter((one) => CACHED.test(one))) {
    const changedMs = changedAt(join(folder, name))
    if (changedMs !== null && ageOfMs(changedMs, Date.now()) > USABLE_MS)
      rmSync(join(folder, name), { force: true })
  }
}

/** The name of the cached file. It depends on the command, and on the settings that select the cluster. */
function identityOf({ argv, env }: CachedRun): string {
  const settings = Object.entries(env).filter(([name]) => /^(?:DISCO|ETCDCTL)_/.test(name))
  const files = [configFile(env), projectFile(process.cwd())].map((file) => file && [file, changedAt(file)])
  const text = JSON.stringify([argv, settings.sort(), files])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function startInBackground(argv: readonly string[], file: string): void {
  const draft = draftOf(file)
  const changedMs = changedAt(draft)
  if (changedMs !== null && ageOfMs(changedMs, Date.now()) > ABANDONED_MS) rmSync(draft, { force: true })
  let output: number
  try {
    output = openSync(draft, 'wx', 0o600)
  } catch {
    // Another completion has started it.
    return
  }
  const [, tool = ''] = process.argv
  const words = [...process.execArgv, tool, 'completion', '--refresh', file, '--', ...argv]
  const child = spawn(process.execPath, words, { detached: true, stdio: ['ignore', output, 'ignore'] })
  child.on('error', () => rmSync(draft, { force: true }))
  child.unref()
  closeSync(output)
}

async function ageOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => null)
  return found === null ? Number.POSITIVE_INFINITY : ageOfMs(found.mtimeMs, Date.now())
}

/** The age of a file. A time in the future comes from a clock that was set back; its distance counts as the age. */
function ageOfMs(changedMs: number, nowMs: number): number {
  return Math.abs(nowMs - changedMs)
}

function changedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null
}

function folderIn({ XDG_CACHE_HOME: cacheHome = '' }: NodeJS.ProcessEnv): string | null {
  if (isAbsolute(cacheHome)) return join(cacheHome, BESIDE_CACHED_LISTS)
  const home = homedir()
  return isAbsolute(home) ? join(home, '.cache', BESIDE_CACHED_LISTS) : null
}
