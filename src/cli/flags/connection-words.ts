import { isNamedFile, type NamedFile } from '../../domain/file-source.js'
import { AUTO } from '../../domain/layouts/reader.js'
import type { RegistryNames } from '../../domain/origins.js'
import { shellWord } from '../terminal/visible.js'
import type { BaseFlags, PlaceFlags } from './base.js'
import { REGISTRY_FLAGS } from './connection-names.js'

/** The flags of this command line that select etcd and keys, for another command. Those in `words` are omitted. */
export function connectionWords(
  flags: BaseFlags & Partial<PlaceFlags>,
  words: readonly string[],
): readonly string[] {
  return REGISTRY_FLAGS.flatMap((name) => {
    const value = textOf(flags[name])
    const isOwn = value === undefined || words.includes(`--${name}`)
    return isOwn || (name === 'layout' && value === AUTO) ? [] : [`--${name}`, value]
  })
}

/**
 * Formats commands for the user to copy: quoted for a shell, and with the flags of this command line that select etcd
 * and keys. Settings from the environment or a context are omitted, because they apply to the copied command as well.
 */
export function commandLine(flags: BaseFlags & Partial<PlaceFlags>): (command: readonly string[]) => string {
  return ([program = '', ...words]) =>
    [program, ...words, ...(program === 'disco' ? connectionWords(flags, words) : [])]
      .map(shellWord)
      .join(' ')
}

function textOf(
  value: NamedFile | RegistryNames | readonly string[] | string | undefined,
): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  if (isNamedFile(value)) return value.path
  return 'text' in value ? value.text : value.join(',')
}
