import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { requireContextName, unknownContext } from '../../config/contexts.js'
import { editConfig } from '../../config/edit.js'
import { problemOf, SETTING_NAMES } from '../../config/settings.js'
import { DiscoError } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'
import { checkMembers } from '../../registry/context-options.js'
import { durationText } from '../flags/duration.js'
import { pipedPassword } from '../flags/standard-input.js'
import { capitalized } from '../terminal/units.js'
import type { ContextChangeDoc } from './document.js'
import type { SettingFlags } from './layers.js'

/** Settings of a new context, as values of flags. */
export interface NewContext extends SettingFlags {
  readonly 'password-env'?: string | undefined
  readonly production: boolean
}

const FILES = ['cacert', 'cert', 'key'] as const
const TIMES = ['dial-timeout', 'command-timeout'] as const

/** Adds a context to the file. @throws DiscoError USAGE; CONFLICT if the name exists and `replaces` is false */
export async function addContext(
  file: string,
  name: string,
  given: NewContext,
  { replaces }: { readonly replaces: boolean },
): Promise<ContextChangeDoc> {
  requireContextName(name)
  const settings = await settingsOf(given)
  let isNew = true
  await editConfig(file, ({ contexts }) => {
    isNew = !contexts.has(name)
    if (!isNew && !replaces) {
      throw new DiscoError('CONFLICT', `A context "${name}" exists already`, {
        suggestions: [`Replace it: --force`, `Show it: disco context show ${name}`],
      })
    }
    return [{ path: ['contexts', name], value: settings }]
  })
  return { schema: 'disco.context-change/v1', change: isNew ? 'added' : 'replaced', name, file }
}

/** Sets the context in use. @param name null to use no context @throws DiscoError USAGE for an unknown context */
export async function useContext(file: string, name: string | null): Promise<ContextChangeDoc> {
  await editConfig(file, (config) => {
    if (name !== null && !config.contexts.has(name)) throw unknownContext(config, name)
    return [{ path: ['use'], value: name ?? undefined }]
  })
  return { schema: 'disco.context-change/v1', change: name === null ? 'unused' : 'used', name, file }
}

/** Removes a context. If it was in use, none is in use afterwards. @throws DiscoError USAGE for an unknown context */
export async function removeContext(file: string, name: string): Promise<ContextChangeDoc> {
  await editConfig(file, (config) => {
    if (!config.contexts.has(name)) throw unknownContext(config, name)
    const removed = { path: ['contexts', name], value: undefined }
    return config.use === name ? [removed, { path: ['use'], value: undefined }] : [removed]
  })
  return { schema: 'disco.context-change/v1', change: 'removed', name, file }
}

/** The settings in the form and order of the file: paths absolute, a password from standard input in the file. */
async function settingsOf(given: NewContext): Promise<Readonly<Record<string, unknown>>> {
  const { endpoints } = given
  if (endpoints === undefined) {
    throw new DiscoError('USAGE', 'disco context add needs --endpoints', {
      suggestions: ['Such as: disco context add local --endpoints 127.0.0.1:2379'],
    })
  }
  checkMembers(
    { endpoints, endpointsSource: '--endpoints' },
    given.cacert !== undefined || given.cert !== undefined,
  )
  const problem = problemOf(given, (setting) => `--${setting}`)
  if (problem !== null) throw new DiscoError('USAGE', capitalized(problem))
  const found: Record<string, unknown> = {
    ...given,
    production: given.production || undefined,
  }
  for (const name of FILES) found[name] = await pathOf(given[name])
  for (const name of TIMES) found[name] = given[name] === undefined ? undefined : durationText(given[name])
  const passwordFile = given['password-file']
  const isPiped = passwordFile?.path === '-'
  found['password-file'] = isPiped ? undefined : await pathOf(passwordFile)
  if (isPiped) found.password = await pipedPassword(passwordFile)
  return present(found)
}

/** The settings that have a value, in the order of the file. */
function present(found: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]]])),
  )
}

/** The absolute path of a file that can be read. @throws DiscoError USAGE */
async function pathOf(file: NamedFile | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  if (file.path === '-') {
    throw new DiscoError(
      'USAGE',
      `${file.source} - has no effect in a context, which keeps the path of the file`,
    )
  }
  const path = resolve(file.path)
  try {
    await access(path)
    return path
  } catch (cause) {
    throw new DiscoError('USAGE', `${file.source}: cannot read ${path}: ${systemMessage(cause)}`, { cause })
  }
}
