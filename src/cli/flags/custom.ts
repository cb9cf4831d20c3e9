import { Args, Flags } from '@oclif/core'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import { didYouMean } from '../../domain/nearest.js'

/**
 * The error of an invalid flag value. It is wrapped, because oclif rewrites the message of errors that a parser throws.
 */
export class FlagProblem extends Error {
  constructor(readonly error: DiscoError) {
    super(error.message, { cause: error })
  }
}

/** An argument. Without `ignoreStdin`, oclif reads a missing argument from standard input, which carries data here. */
export const argument = Args.custom<string>({ ignoreStdin: true })

interface FlagName {
  /** The flag's name, without dashes. */
  readonly name: string
}

/**
 * A `parse` for `Flags.custom`.
 *
 * @param read converts the text to the flag's value; a DiscoError that it throws is shown to the user
 */
export function parsedBy<Value>(read: (text: string, flag: string) => Value | Promise<Value>) {
  return async (text: string, _context: unknown, { name }: FlagName): Promise<Value> => {
    try {
      return await read(text, `--${name}`)
    } catch (thrown) {
      throw thrown instanceof DiscoError ? new FlagProblem(thrown) : thrown
    }
  }
}

/**
 * A `parse` for `Flags.custom` whose error is `Invalid --flag "text": expected …`.
 *
 * @param read returns undefined for an invalid text
 * @param show returns the text for that error, such as a URL without its password
 */
export function readBy<Value>(
  read: (text: string) => Value | undefined,
  expected: string,
  show: (text: string) => string = (text) => text,
) {
  return parsedBy((text, flag) => {
    const value = read(text)
    if (value === undefined) throw invalidValue(flag, show(text), expected)
    return value
  })
}

/** A text that is not empty: an empty one usually comes from an unset shell variable. */
export const textFlag = Flags.custom<string>({ parse: parsedBy(refuseEmpty) })

/** The path of a file to read; errors about it name the flag. */
export const fileFlag = Flags.custom<NamedFile>({
  parse: parsedBy((path, flag) => ({ path: refuseEmpty(path, flag), source: flag })),
})

/** @throws DiscoError USAGE */
export function refuseEmpty(text: string, flag: string): string {
  if (text === '') throw new DiscoError('USAGE', `${flag} is empty`)
  return text
}

/** An integer from `min` to `max`. */
export const integerFlag = Flags.custom<number, { min?: number; max?: number }>({
  parse: (text, context, options) => {
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options
    const read = (digits: string) => {
      // Adding 0 turns -0 into 0.
      const number = /^-?\d+$/.test(digits) ? Number(digits) + 0 : Number.NaN
      return number >= min && number <= max ? number : undefined
    }
    return readBy(read, `an integer${rangeOf(min, max)}`)(text, context, options)
  },
})

/** The `parse` and the `helpValue` of a flag that takes one of several words. */
export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return {
    helpValue: choices.join('|'),
    parse: parsedBy((text, flag) => readChoice(choices, text, flag)),
  }
}

/** @throws DiscoError USAGE for a text that is none of the words */
export function readChoice<Choice extends string>(
  choices: readonly Choice[],
  text: string,
  flag: string,
): Choice {
  const choice = choices.find((known) => known === text)
  if (choice !== undefined) return choice
  const expected = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  throw invalidValue(flag, text, expected, didYouMean(text, choices))
}

function rangeOf(min: number, max: number): string {
  const hasLeast = min > Number.MIN_SAFE_INTEGER
  const hasMost = max < Number.MAX_SAFE_INTEGER
  if (hasLeast && hasMost) return ` from ${min} to ${max}`
  return hasLeast ? `, ${min} or more` : hasMost ? `, ${max} or less` : ''
}

/** The part of oclif's parser output with the flags' values, and which of them are defaults. */
export interface ParsedFlags {
  readonly flags: Readonly<Record<string, unknown>>
  readonly metadata: {
    readonly flags: Readonly<Record<string, { readonly setFromDefault?: boolean } | undefined>>
  }
}

/** The flags without boolean flags that are off: these were not given. */
export function withoutFalse(flags: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== false))
}

/**
 * Refuses flags that were given although they have no effect in this combination.
 *
 * @param names the names of the flags, without dashes
 * @param when the combination, for the error, such as `without --probe` or `with --undo`
 * @throws DiscoError USAGE
 */
export function refuseIneffective(
  { flags, metadata }: ParsedFlags,
  names: readonly string[],
  when: string,
): void {
  const idle = names.find((name) => flags[name] !== undefined && !metadata.flags[name]?.setFromDefault)
  if (idle !== undefined) throw new DiscoError('USAGE', `--${idle} has no effect ${when}`)
}
