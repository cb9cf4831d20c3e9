import { Flags } from '@oclif/core'
import { invalidValue } from '../../domain/errors.js'
import { MAX_WEIGHT, readWeightChange, type WeightChange } from '../../domain/weight.js'
import { parsedBy } from './custom.js'

/** Reads a weight, an integer from 0 to MAX_WEIGHT; undefined for any other text. */
export function readWeight(text: string): number | undefined {
  const change = readWeightChange(text)
  return change?.kind === 'set' ? change.weight : undefined
}

export const weightFlag = Flags.custom<number>({
  helpValue: '<weight>',
  parse: parsedBy((text, flag) => {
    const weight = readWeight(text)
    if (weight === undefined) throw invalidValue(flag, asMinus(text), `an integer from 0 to ${MAX_WEIGHT}`)
    return weight
  }),
})

/** Reads `5`, `+2`, `-1` or `50%`. @param source the flag or argument @throws DiscoError USAGE */
export function weightChangeFrom(text: string, source: string): WeightChange {
  const change = readWeightChange(text)
  if (change) return change
  const expected = `5, +2, -1 or 50%, with integers from 0 to ${MAX_WEIGHT}`
  throw invalidValue(source, asMinus(text), expected)
}

/** Shows a typographic minus (U+2212) as a hyphen: `readWeightChange` reads both as a minus. */
function asMinus(text: string): string {
  return text.replace('\u2212', '-')
}

export const weightChangeFlag = Flags.custom<WeightChange>({
  helpValue: '<weight>',
  parse: parsedBy(weightChangeFrom),
})
