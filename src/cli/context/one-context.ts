import { hasUserInfo } from '../../domain/address.js'
import type { Origin } from '../../domain/origins.js'
import { shellWord } from '../terminal/visible.js'
import { type FlagDefinitions, readWords, splitCommand } from '../words/words.js'

/** A command line as it was typed. */
export interface TypedCommand {
  /** Id of the command, such as `weight` or `context show`. */
  readonly id: string
  readonly argv: readonly string[]
  readonly definitions: FlagDefinitions
}

/** Flags whose values may be secrets: they are not printed. */
const SECRET: ReadonlySet<string> = new Set(['header', 'data', 'hash-key'])

/**
 * Suggests the command line once for each context, for the user to copy. If it contains a secret, only the flag `-C` is
 * suggested.
 */
export function inOneContext(typed: TypedCommand, origins: readonly Origin[]): readonly string[] {
  const { own, command } = splitCommand(typed.argv)
  const rest = ownWords(own, typed.definitions)
  const isSecret = rest === null || [...rest, ...(command ?? [])].some((word) => hasUserInfo(word))
  if (isSecret) return [`Such as: -C ${origins[0]?.registry}`]
  const tail = command.length === 0 ? [] : ['--', ...command]
  return origins.map(({ registry }) =>
    ['disco', ...typed.id.split(':'), ...rest, '-C', registry, ...tail].map(shellWord).join(' '),
  )
}

/** The words without -C; null if one of them may be a secret. */
function ownWords(own: readonly string[], definitions: FlagDefinitions): readonly string[] | null {
  const kept: string[] = []
  for (const word of readWords(own, definitions)) {
    if (word.kind === 'argument') kept.push(word.text)
    else if (word.kind === 'unknown') kept.push(word.written)
    else if (SECRET.has(word.name)) return null
    else if (word.name !== 'context')
      kept.push(word.written, ...(word.value === undefined ? [] : [word.value]))
  }
  return kept
}
