import { AUTO } from '../../domain/layouts/reader.js'
import type { BaseFlags } from '../base-command.js'
import type { PlaceFlags } from '../flags/base.js'
import { shellWord } from '../terminal/visible.js'

/** Flags without which a command would go to another etcd, or look at other keys. */
const CONNECTION = [
  ...(['context', 'endpoints', 'cacert', 'cert', 'key', 'user', 'password-file'] as const),
  ...(['layout', 'root'] as const),
]

/**
 * Writes commands to copy: quoted for a shell, and with the flags of this command line that say which etcd and which
 * keys. What comes from the environment or a context counts there as well.
 */
export function commandLine(flags: BaseFlags & Partial<PlaceFlags>): (command: readonly string[]) => string {
  return ([program = '', ...words]) => {
    const given = CONNECTION.flatMap((name) => {
      const value = flags[name]
      const isOwn = value === undefined || words.includes(`--${name}`)
      return isOwn || (name === 'layout' && value === AUTO) ? [] : [`--${name}`, value]
    })
    return [program, ...words, ...(program === 'disco' ? given : [])].map(shellWord).join(' ')
  }
}
