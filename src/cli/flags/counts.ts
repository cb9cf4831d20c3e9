import { Flags } from '@oclif/core'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import { didYouMean } from '../../domain/nearest.js'
import { effectiveWeight, weightsAreUnset } from '../../domain/shares.js'
import { MAX_WEIGHT } from '../../domain/weight.js'
import { parsedBy } from './custom.js'
import { readWeight } from './weight.js'

/** Counts or weights by name, as `a=3,b=2`. Names have no comma; the last `=` separates name and number. */
type ByName = ReadonlyMap<string, number>

/** Maximum number of unknown names in an error: a wrong log has thousands. */
const NAMES_LISTED = 3

/** A count has at most the number of digits that a double represents exactly. */
const COUNT = /^\d{1,15}$/

/** Calls by name; `-` for standard input, whose lines {@link countLines} counts. */
export const countsFlag = Flags.custom<ByName | NamedFile>({
  parse: parsedBy((text, flag) => {
    if (text === '-') return { path: text, source: flag }
    const read = (value: string) => (COUNT.test(value) ? Number(value) : undefined)
    return readPairs(flag, text, read, 'names with counts of up to 15 digits, such as a=3,b=2')
  }),
})

/** Weights by name. */
export const weightsFlag = Flags.custom<ByName>({
  parse: parsedBy((text, flag) => {
    return readPairs(flag, text, readWeight, `names with integers from 0 to ${MAX_WEIGHT}, such as a=3,b=2`)
  }),
})

/** The names in rotation, with their effective weights. If all weights are 0, they are unset and count as equal. */
export function inRotation(weights: ByName): ByName {
  const endpoints = [...weights].map(([name, weight]) => ({ name, weight, problem: null }))
  const unset = weightsAreUnset(endpoints)
  const effective = endpoints.map((endpoint) => [endpoint.name, effectiveWeight(endpoint, unset)] as const)
  return new Map(effective.filter(([, weight]) => weight > 0))
}

/** The number of lines with each name; empty lines do not count. */
export async function countLines(lines: AsyncIterable<string>): Promise<ByName> {
  const counts = new Map<string, number>()
  for await (const line of lines) {
    const name = line.trim()
    if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** @throws DiscoError USAGE for a counted name without a weight: a typo must not change the verdict */
export function requireWeights(counts: ByName, weights: ByName): void {
  const unknown = [...counts.keys()].filter((name) => !weights.has(name))
  const [first] = unknown
  if (first === undefined) return
  const listed = unknown.slice(0, NAMES_LISTED).map((name) => `"${name}"`)
  const more = unknown.length > NAMES_LISTED ? ` and ${unknown.length - NAMES_LISTED} more` : ''
  throw new DiscoError('USAGE', `No weight is given for ${listed.join(', ')}${more}`, {
    suggestions: [
      ...didYouMean(first, weights.keys()),
      'Add it to --weights: with 0, if it should get no call',
    ],
  })
}

function readPairs(
  flag: string,
  text: string,
  read: (value: string) => number | undefined,
  expected: string,
): ByName {
  const pairs = new Map<string, number>()
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=')
    const name = part.slice(0, Math.max(0, at)).trim()
    const number = read(part.slice(at + 1).trim())
    if (name === '' || number === undefined) throw invalidValue(flag, part.trim(), expected)
    if (pairs.has(name)) throw new DiscoError('USAGE', `"${name}" is given more than once in ${flag}`)
    pairs.set(name, number)
  }
  return pairs
}
