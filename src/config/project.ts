import { realpath } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import type { Context } from './contexts.js'
import { type ContextSettings, entriesOf, problemAt, readSettings, readText } from './settings.js'
import { readTextFile, readTree, refuseReadableByOthers } from './text-file.js'

/** The settings of a project file: the name of a context of the user, or endpoints, or neither. */
export interface Project extends Context {
  /** The name of a context of the user; null if the file does not name one. */
  readonly context: string | null
}

/**
 * Settings that a project file must not have. The file is shared, so `password` would be published, and `password-env`
 * would let the file send any environment variable to its endpoints.
 */
const NOT_IN_PROJECTS = ['password', 'password-env'] as const

/** Settings that name files. */
const FILES = ['cacert', 'cert', 'key', 'password-file'] as const

/**
 * Reads a project file; null if it does not exist. The file may come from an untrusted project, and it names both files
 * and the endpoints that receive their content. So it may name only files below its folder.
 *
 * @throws DiscoError USAGE with file, line and column
 */
export async function readProject(file: string): Promise<Project | null> {
  const found = await readTextFile(file)
  if (found === null) return null
  const source = { file, folder: dirname(file) }
  const tree = readTree(file, found.text)
  const entries = tree === null ? [] : entriesOf(tree, 'the file', source)
  const named = entries.find(({ key }) => key === 'context')
  const settings = readSettings(entries, source, ['context'])
  const context = named === undefined ? null : readText(named.value, source)
  if (named !== undefined && settings.endpoints !== undefined) {
    throw problemAt(source, named.at, 'context and endpoints exclude each other')
  }
  for (const { key, at } of entries) {
    if ((NOT_IN_PROJECTS as readonly string[]).includes(key)) {
      throw problemAt(source, at, `${key} is not allowed in a project file`, [
        'Put it into a context of your own: disco context add',
      ])
    }
    const setting = FILES.find((name) => name === key)
    const path = setting === undefined ? undefined : settings[setting]
    if (path !== undefined && !(await isInside(source.folder, path))) {
      throw problemAt(source, at, `the file of ${key} is not in the folder of the project`, [
        'Put it into a context of your own: disco context add',
      ])
    }
  }
  await refuseReadableSecrets(settings)
  return { label: file, name: null, file, settings, context }
}

async function refuseReadableSecrets({ 'password-file': passwordFile, key }: ContextSettings): Promise<void> {
  if (passwordFile !== undefined) await refuseReadableByOthers(passwordFile, 'a password')
  if (key !== undefined) await refuseReadableByOthers(key, 'a private key')
}

/** Whether a file is below a folder, following links. A missing file is reported when it is read. */
async function isInside(folder: string, file: string): Promise<boolean> {
  const [inside, path] = await Promise.all([folder, file].map((each) => realpath(each).catch(() => each)))
  return path?.startsWith(`${inside}${sep}`) ?? false
}
