import { constants, type Stats } from 'node:fs'
import { lstat, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DiscoError } from '../domain/errors.js'
import { withoutMark } from '../domain/file-source.js'
import { shellWord } from '../domain/shell-word.js'
import { systemMessage } from '../domain/system-message.js'
import { problemAt } from './settings.js'
import { readYaml, YamlProblem, type YamlValue } from './yaml.js'

const MAX_BYTES = 1024 * 1024

const GROUP_OR_OTHERS_READ = 0o044
const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002

interface TextFile {
  readonly text: string
  readonly stats: Stats
}

/**
 * The text of a regular file; null if it does not exist. The file is opened without blocking, because opening a named
 * pipe could hang.
 *
 * @throws DiscoError USAGE
 */
export async function readTextFile(file: string): Promise<TextFile | null> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await handle.stat()
      if (!stats.isFile())
        throw new Error(stats.isDirectory() ? 'it is a directory' : 'it is not a regular file')
      if (stats.size > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`)
      return { text: withoutMark(await handle.readFile('utf8')), stats }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new DiscoError('USAGE', `Cannot read ${file}: ${systemMessage(cause)}`, { cause })
  }
}

/** Parses YAML. Null for an empty file. @throws DiscoError USAGE with file, line and column */
export function readTree(file: string, text: string): YamlValue | null {
  try {
    return readYaml(text)
  } catch (thrown) {
    throw thrown instanceof YamlProblem ? problemAt({ file }, thrown.at, thrown.message) : thrown
  }
}

/**
 * Refuses a file with a secret that other users can read. The rule is that of PostgreSQL's libpq: readable by its
 * owner only, or, if root owns it, by its group as well.
 *
 * @param what the content of the file
 * @throws DiscoError USAGE with the command that fixes the mode
 */
export async function refuseReadableByOthers(file: string, what: string, known?: Stats): Promise<void> {
  if (process.geteuid === undefined) return
  // An inaccessible file is reported when it is read.
  const stats = known ?? (await stat(file).catch(() => null))
  if (stats === null) return
  const isRoots = stats.uid === 0 && process.geteuid() !== 0
  if ((stats.mode & (isRoots ? OTHERS_READ : GROUP_OR_OTHERS_READ)) === 0) return
  throw new DiscoError('USAGE', `${file} holds ${what}, and other users can read it`, {
    suggestions: [`Run: chmod ${isRoots ? 640 : 600} ${shellWord(file)}`],
  })
}

/**
 * Refuses a file that other users can write to: they could direct commands and credentials to another cluster.
 *
 * @throws DiscoError USAGE with the command that fixes the mode
 */
export function refuseWritableByOthers(file: string, { mode }: Stats): void {
  if (process.geteuid === undefined || (mode & OTHERS_WRITE) === 0) return
  throw new DiscoError('USAGE', `${file} is not used: other users can write to it`, {
    suggestions: [`Run: chmod o-w ${shellWord(file)}`],
  })
}

/**
 * Why a file is not trusted, as a clause; null if it is trusted. A user who can write to the file or its folder could
 * direct commands to another cluster.
 */
export async function foreignFileProblem(file: string, env: Readonly<Record<string, string | undefined>>) {
  if (process.geteuid === undefined) return null
  const owners = [process.geteuid(), 0]
  // As in git: under sudo, the files of the original user are trusted too.
  if (process.geteuid() === 0 && /^\d+$/.test(env.SUDO_UID ?? '')) owners.push(Number(env.SUDO_UID))
  const [folder, link, target] = await Promise.all([stat(dirname(file)), lstat(file), stat(file)])
  if (!owners.includes(folder.uid)) return 'another user owns its folder'
  if (![link, target].every(({ uid }) => owners.includes(uid))) return 'another user owns it'
  return target.mode & OTHERS_WRITE ? 'other users can write to it' : null
}
