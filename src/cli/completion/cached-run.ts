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

/** A draft of this age was left by a killed run. It is deleted, so that a new run can start. */
const ABANDONED_MS = 10_000

const POLL_MS = 10

/** The name of the cached documents' folder. It is in the user's cache folder, beside that of the cached lists. */
const FOLDER_NAME = 'disco-completion'

/** A command of this tool whose JSON document is kept in a file. */
export interface CachedRun {
  /** The command with its arguments and flags, such as `['ls', 'hello', '-C', 'staging']`. */
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** When the wait for a new document ends, in milliseconds since the start of this process. */
  readonly deadlineMs: number
}

/**
 * The document that the command prints. If the document in the cache is older than 5 s, the command runs again in the
 * background. Its process outlives this one, so that the next completion has the answer even if the registry is slow.
 *
 * @returns null if the deadline passes without a document, and the cached one is older than an hour or does not exist;
 *   also null if the user has no cache folder
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

/** The path of the file that the command in the background writes. It is renamed to `file` when complete. */
export function draftOf(file: string): string {
  return `${file}.draft`
}

const CACHED = /^[0-9a-f]{32}\.json(?:\.draft)?$/

/**
 * Deletes the documents and drafts in the folder of `file` that are older than `USABLE_MS`. Without this, files would
 * accumulate: each service name and each change of a setting has its own file.
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
    // EEXIST: another completion is running the command. After any other error, such as a full disk, the command cannot
    // run, and the document in the cache is used as long as it is usable.
    return
  }
  const [, tool = ''] = process.argv
  const words = [...process.execArgv, tool, 'completion', '--refresh', file, '--', ...argv]
  const child = spawn(process.execPath, words, { detached: true, stdio: ['ignore', output, 'ignore'] })
  child.on('error', () => rmSync(draft, { force: true }))
  child.unref()
  closeSync(output)
}

/** The age of a file in milliseconds; infinite if the file does not exist or cannot be accessed. */
async function ageOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => null)
  return found === null ? Number.POSITIVE_INFINITY : ageOfMs(found.mtimeMs, Date.now())
}

/** The age of a file. If the clock was set back, the file's time is in the future: the difference is the age. */
function ageOfMs(changedMs: number, nowMs: number): number {
  return Math.abs(nowMs - changedMs)
}

function changedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null
}

function folderIn({ XDG_CACHE_HOME: cacheHome = '' }: NodeJS.ProcessEnv): string | null {
  if (isAbsolute(cacheHome)) return join(cacheHome, FOLDER_NAME)
  const home = homedir()
  return isAbsolute(home) ? join(home, '.cache', FOLDER_NAME) : null
}
