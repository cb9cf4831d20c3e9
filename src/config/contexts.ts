import { dirname } from 'node:path'
import { DiscoError } from '../domain/errors.js'
import { didYouMean } from '../domain/nearest.js'
import { configFile } from './locations.js'
import { type ContextSettings, entriesOf, problemAt, readSettings, readText, unknownKey } from './settings.js'
import { readTextFile, readTree, refuseReadableByOthers, refuseWritableByOthers } from './text-file.js'

/** The settings of a connection to etcd: endpoints, credentials, and the location of the keys. */
export interface Context {
  /** The name for messages. */
  readonly label: string
  /** Null for the settings of a project file. */
  readonly name: string | null
  readonly file: string
  readonly settings: ContextSettings
}

/** The user's file of contexts. */
export interface Config {
  readonly file: string
  /** The name chosen by `disco context use`; null if none was chosen. */
  readonly use: string | null
  readonly contexts: ReadonlyMap<string, Context>
}

/** A valid context name. It has no comma, which separates the names in `-C NAME,NAME`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Returns the name if it is valid. @throws DiscoError USAGE for an invalid name */
export function requireContextName(name: string): string {
  if (NAME.test(name)) return name
  throw new DiscoError('USAGE', `Invalid context name "${name}"`, {
    suggestions: ['Expected up to 64 letters, digits, dots, hyphens and underscores, such as prod or eu-1'],
  })
}

/**
 * Reads the user's file; a missing file has no contexts.
 *
 * @throws DiscoError USAGE with file, line and column for invalid content; USAGE for a file that other users can write
 * to, or that contains a password and that other users can read
 */
export async function readConfig(file: string): Promise<Config> {
  const found = await readTextFile(file)
  if (found === null) return { file, use: null, contexts: new Map() }
  refuseWritableByOthers(file, found.stats)
  const config = configIn(file, found.text)
  const hasSecret = [...config.contexts.values()].some(({ settings }) => settings.password !== undefined)
  if (hasSecret) await refuseReadableByOthers(file, 'a password', found.stats)
  return config
}

/** Parses a file of contexts. @throws DiscoError USAGE with file, line and column */
export function configIn(file: string, text: string): Config {
  const source = { file, folder: dirname(file) }
  const contexts = new Map<string, Context>()
  let use: string | null = null
  const tree = readTree(file, text)
  for (const { key, at, value } of tree === null ? [] : entriesOf(tree, 'the file', source)) {
    if (key === 'use') use = readText(value, source)
    else if (key !== 'contexts') throw unknownKey(key, at, ['use', 'contexts'], source)
    else {
      for (const entry of entriesOf(value, 'contexts', source)) {
        const { key: name } = entry
        if (!NAME.test(name)) throw problemAt(source, entry.at, 'invalid context name')
        const settings = readSettings(entriesOf(entry.value, `context ${name}`, source), source)
        if (settings.endpoints === undefined) {
          throw problemAt(source, entry.at, `context ${name} has no endpoints`)
        }
        contexts.set(name, { label: `context ${name}`, name, file, settings })
      }
    }
  }
  return { file, use, contexts }
}

/**
 * Finds a context by name, and checks that other users cannot read its secret files.
 *
 * @param by the source of the name for the error message; absent if the user gave it
 * @throws DiscoError USAGE for an unknown name, with similar names and all names; USAGE for a secret file that other
 * users can read
 */
export async function contextNamed(config: Config, name: string, by?: string): Promise<Context> {
  const context = config.contexts.get(name)
  if (context === undefined) throw unknownContext(config, name, by)
  const { 'password-file': passwordFile, key } = context.settings
  if (passwordFile !== undefined)
    await refuseReadableByOthers(passwordFile, `the password of ${context.label}`)
  if (key !== undefined) await refuseReadableByOthers(key, `the private key of ${context.label}`)
  return context
}

export function unknownContext({ file, contexts }: Config, name: string, by?: string): DiscoError {
  const names = [...contexts.keys()]
  const available =
    names.length > 0
      ? `Available: ${names.join(', ')}`
      : `There is none in ${file}. Add one: disco context add NAME --endpoints HOST:PORT`
  const source = by === undefined ? '' : ` from ${by}`
  return new DiscoError('USAGE', `No context "${name}"${source}`, {
    suggestions: [...didYouMean(name, names), available],
  })
}

/** The path of the user's file of contexts. @throws DiscoError USAGE for a user without a home folder */
export function requireConfigFile(env: Readonly<Record<string, string | undefined>>): string {
  const file = configFile(env)
  if (file !== null) return file
  throw new DiscoError('USAGE', 'There is no place for contexts: the user has no home folder', {
    suggestions: ['Set HOME or XDG_CONFIG_HOME'],
  })
}

/** Reads a context from the user's file. @throws DiscoError USAGE */
export async function openContext(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Context> {
  return await contextNamed(await readConfig(requireConfigFile(env)), name)
}
