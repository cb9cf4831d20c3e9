import { Args, Flags } from '@oclif/core'
import { DiscoError } from '../../domain/errors.js'
import { didYouMean } from '../../domain/nearest.js'

/** What is wrong with a flag's value. oclif writes its own words into the message of what a parser throws. */
export class FlagProblem extends Error {
  constructor(readonly error: DiscoError) {
    super(error.message, { cause: error })
  }
}

/** An argument. oclif would read one that is missing from standard input, which is the data's or the caller's. */
export const argument = Args.custom<string>({ ignoreStdin: true })

/** A whole number from `min` to `max`. */
export const integerFlag = Flags.custom<number, { min?: number; max?: number }>({
  parse: async (text, _context, { name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }) => {
    const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw invalid(name, text, `expected an integer${rangeOf(min, max)}`)
  },
})

/** How a flag that takes one of several words is read, for `Flags.custom`. */
export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return {
    helpValue: choices.join('|'),
    parse: async (text: string, _context: unknown, { name }: { readonly name: string }): Promise<Choice> => {
      const choice = choices.find((known) => known === text)
      if (choice !== undefined) return choice
      const expected = `expected ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
      throw invalid(name, text, expected, didYouMean(text, choices))
    },
  }
}

/** How the name of a file is read that cannot be standard input, as `parse` of `Flags.string`. */
export async function fileName(text: string, _context: unknown, { name }: { readonly name: string }) {
  if (text !== '-') return text
  throw new FlagProblem(
    new DiscoError('USAGE', `--${name} does not read standard input`, {
      suggestions: [`Write it to a file: --${name} FILE`],
    }),
  )
}

function invalid(name: string, text: string, expected: string, suggestions: string[] = []): FlagProblem {
  return new FlagProblem(new DiscoError('USAGE', `Invalid --${name} "${text}": ${expected}`, { suggestions }))
}

function rangeOf(min: number, max: number): string {
  const hasLeast = min > Number.MIN_SAFE_INTEGER
  const hasMost = max < Number.MAX_SAFE_INTEGER
  if (hasLeast && hasMost) return ` from ${min} to ${max}`
  return hasLeast ? `, ${min} or more` : hasMost ? `, ${max} or less` : ''
}
