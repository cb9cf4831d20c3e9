import { Problem } from './problem.js'

type Map = Readonly<Record<string, string>>

/**
 * A weight that is kept as text among the metadata.
 *
 * @param missing what its readers take where there is none
 * @throws Problem
 */
export function weightOf(metadata: Map, missing: number): number {
  const text = metadata.weight
  if (text === undefined) return missing
  const weight = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(weight)) return weight
  throw new Problem(`weight ${JSON.stringify(text)} is no integer >= 0`)
}

/** The metadata with that weight: as it is where it says so already. */
export function withWeightOf(metadata: Map, weight: number, missing: number): Map {
  const said = metadata.weight === undefined ? missing : Number(metadata.weight)
  return said === weight ? metadata : { ...metadata, weight: String(weight) }
}

/** Go tells a map that nobody made, null, from an empty one: the empty one is remembered. */
export function emptyMap(name: string, stored: Map | null): Readonly<Record<string, unknown>> | undefined {
  return stored !== null && Object.keys(stored).length === 0 ? { [name]: {} } : undefined
}
