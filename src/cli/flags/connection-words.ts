import { AUTO } from '../../domain/layouts/reader.js'
import { shellWord } from '../terminal/visible.js'
import type { BaseFlags, PlaceFlags } from './base.js'

/** Flags without which a command would go to another etcd, or look at other keys. */
const CONNECTION = [
  ...(['context', 'endpoints', 'cacert', 'cert', 'key', 'user', 'password-file'] as const),
  ...(['layout', 'root'] as const),
]

/** The flags of this command line that name etcd and keys, for another command; without those in `words`. */
export function connectionWords(
  flags: BaseFlags & Partial<PlaceFlags>,
  words: readonly string[],
): readonly string[] {
  return CONNECTION.flatMap((name) => {
    const value = flags[name]
    const isOwn = value === undefined || words.includes(`--${name}`)
    return isOwn || (name === 'layout' && value === AUTO) ? [] : [`--${name}`, value]
  })
}

/**
 * Writes commands to copy: quoted for a shell, and with the flags of this command line that say which etcd and which
 * keys. What comes from the environment or a context counts there as well.
 */
export function commandLine(flags: BaseFlags & Partial<PlaceFlags>): (command: readonly string[]) => string {
  return ([program = '', ...words]) =>
    [program, ...words, ...(program === 'disco' ? connectionWords(flags, words) : [])]
      .map(shellWord)
      .join(' ')
}
