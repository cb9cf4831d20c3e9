import { join, resolve } from 'node:path'
import { splitEndpoints } from '../domain/address.js'
import { DURATION, readDurationMs, timerDelay } from '../domain/duration.js'
import { DiscoError } from '../domain/errors.js'
import { layoutNamed } from '../domain/layouts/index.js'
import { AUTO } from '../domain/layouts/reader.js'
import { rootPrefix } from '../domain/layouts/root.js'
import { didYouMean } from '../domain/nearest.js'
import { homeFolder } from './locations.js'
import type { Position, YamlEntry, YamlValue } from './yaml.js'

/** The file being read: its path, and the base folder of its relative paths. */
export interface Source {
  readonly file: string
  readonly folder: string
}

type Reader<Value> = (value: YamlValue, source: Source) => Value

/** All settings of a context, by the name of their flag. */
const READERS = {
  endpoints: readEndpoints,
  cacert: readPath,
  cert: readPath,
  key: readPath,
  user: readText,
  'password-file': readPath,
  'password-env': readText,
  password: readText,
  'dial-timeout': readDuration,
  'command-timeout': readDuration,
  root: readRoot,
  layout: readLayout,
  production: readBoolean,
} satisfies Readonly<Record<string, Reader<unknown>>>

export type SettingName = keyof typeof READERS

/** Settings read from a file: paths are absolute, times are milliseconds. */
export type ContextSettings = {
  readonly [Name in SettingName]?: ReturnType<(typeof READERS)[Name]> | undefined
}

/** Settings that identify the user. They are never used with endpoints from another source. */
export const CREDENTIALS = [
  'cacert',
  'cert',
  'key',
  'user',
  'password-file',
  'password-env',
  'password',
] as const

export const SETTING_NAMES = Object.keys(READERS) as SettingName[]

/** The error (USAGE) for a problem at a position in a file. The message begins with file, line and column. */
export function problemAt(
  { file }: Pick<Source, 'file'>,
  at: Position,
  problem: string,
  hints: string[] = [],
) {
  return new DiscoError('USAGE', `${file}:${at.line}:${at.column}: ${problem}`, { suggestions: hints })
}

/**
 * Reads the settings of a context.
 *
 * @param others further valid keys, which the caller reads
 * @throws DiscoError USAGE for an unknown key, a wrong type, or incomplete credentials
 */
export function readSettings(
  entries: readonly YamlEntry[],
  source: Source,
  others: readonly string[] = [],
): ContextSettings {
  const settings: Partial<Record<SettingName, unknown>> = {}
  for (const { key, at, value } of entries) {
    if (others.includes(key)) continue
    const name = SETTING_NAMES.find((known) => known === key)
    if (name === undefined) throw unknownKey(key, at, [...others, ...SETTING_NAMES], source)
    settings[name] = READERS[name](value, source)
  }
  const read = settings as ContextSettings
  const [first] = entries
  const problem = problemOf(read)
  if (problem !== null && first !== undefined) throw problemAt(source, first.at, problem)
  return read
}

/** The error for an unknown key. A key that does not look like a name may be a misplaced secret, and is not quoted. */
export function unknownKey(key: string, at: Position, known: readonly string[], source: Source): DiscoError {
  const named = /^[A-Za-z][\w-]{0,39}$/.test(key) ? `unknown key "${key}"` : 'unknown key'
  const near = didYouMean(key, known)
  return problemAt(source, at, named, near.length > 0 ? near : [`Available: ${known.join(', ')}`])
}

/** The entries of a map. @throws DiscoError USAGE */
export function entriesOf(value: YamlValue, what: string, source: Source): readonly YamlEntry[] {
  if (value.kind === 'map') return value.entries
  if (value.kind === 'scalar' && value.value === null) return []
  throw problemAt(source, value, `${what} must be a map of keys and values`)
}

/**
 * The problem of a combination of settings, as a clause; null if there is none.
 *
 * @param nameOf the name of a setting in the clause
 */
export function problemOf(
  settings: { readonly [Name in SettingName]?: unknown },
  nameOf = (setting: SettingName): string => setting,
): string | null {
  const isGiven = (name: SettingName) => settings[name] !== undefined
  const alone = isGiven('endpoints') ? undefined : CREDENTIALS.find(isGiven)
  if (alone !== undefined) return `${nameOf(alone)} is given without ${nameOf('endpoints')}`
  if (isGiven('cert') !== isGiven('key')) {
    return `a client certificate needs both ${nameOf('cert')} and ${nameOf('key')}`
  }
  const passwords = (['password-file', 'password-env', 'password'] as const).filter(isGiven).map(nameOf)
  if (passwords.length > 1) return `${passwords.join(' and ')} exclude each other`
  if (passwords.length === 0 || isGiven('user')) return null
  return `${passwords[0]} has no effect without ${nameOf('user')}`
}

export function readText(value: YamlValue, source: Source): string {
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.value !== '') return value.value
  const isOther = value.kind === 'scalar' && value.value !== null && value.value !== ''
  throw problemAt(source, value, `a text is expected here${isOther ? ': put the value in quotes' : ''}`)
}

function readEndpoints(value: YamlValue, source: Source): readonly string[] {
  const texts =
    value.kind === 'list' ? value.items.map((item) => readText(item, source)) : [readText(value, source)]
  return texts.flatMap(splitEndpoints)
}

function readPath(value: YamlValue, source: Source): string {
  const text = readText(value, source)
  if (!text.startsWith('~/')) return resolve(source.folder, text)
  const home = homeFolder()
  if (home !== null) return join(home, text.slice(2))
  throw problemAt(source, value, 'the user has no home folder for ~')
}

function readDuration(value: YamlValue, source: Source): number {
  const ms = timerDelay(readDurationMs(value.kind === 'scalar' ? String(value.value) : ''))
  if (ms !== undefined) return ms
  throw problemAt(source, value, `expected ${DURATION}`)
}

function readLayout(value: YamlValue, source: Source): string {
  const text = readText(value, source)
  if (text !== AUTO) layoutNamed(text, positionOf(value, source))
  return text
}

function readRoot(value: YamlValue, source: Source): string {
  const text = readText(value, source)
  rootPrefix(text, positionOf(value, source))
  return text
}

function positionOf({ line, column }: Position, { file }: Source): string {
  return `${file}:${line}:${column}`
}

function readBoolean(value: YamlValue, source: Source): boolean {
  if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value
  throw problemAt(source, value, 'expected true or false')
}
