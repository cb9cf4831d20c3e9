import { DiscoError } from '../../domain/errors.js'
import { unknownFlag } from './unknown.js'
import { type FlagDefinitions, readWords, splitCommand } from './words.js'

/**
 * Refuses unknown flags, flags without their value, repeated flags, and switches with a value. oclif's parser takes
 * the names of Object's own members for flags and the value of a switch for an argument, and has no separate error
 * for the others.
 *
 * @throws DiscoError USAGE
 */
export function checkWords(command: string, argv: readonly string[], flags: FlagDefinitions): void {
  const seen = new Set<string>()
  for (const word of readWords(splitCommand(argv).own, flags)) {
    if (word.kind === 'unknown') throw unknownFlag(word.written, command, flags)
    if (word.kind !== 'flag') continue
    const { name, value, written } = word
    const { type, multiple } = flags[name] ?? {}
    const problem =
      type === 'boolean'
        ? value === undefined
          ? null
          : 'takes no value'
        : value === undefined
          ? 'needs a value'
          : seen.has(name) && !multiple
            ? 'is given more than once'
            : null
    if (problem !== null) throw new DiscoError('USAGE', `${written} ${problem}`)
    seen.add(name)
  }
}
