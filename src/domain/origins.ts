import { DiscoError } from './errors.js'

/** A registry among several that are read together. */
export interface Origin {
  readonly registry: string
  /**
   * 0 is the highest priority. A registry gets calls only while no registry with a lower number has a READY endpoint.
   */
  readonly priority: number
  /** Registries of the same priority share the calls in proportion to their weights. An integer above 0. */
  readonly weight: number
}

/** Registries that are read together, in the order in which they are named. */
export type Origins = readonly [Origin, ...Origin[]]

/** NAME or NAME=WEIGHT. In the tool, a registry has the name of its context, so the rule for context names applies. */
const ENTRY = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:=(\d{1,6}))?$/

const FORMS = [
  'NAME,NAME: the first one, or the next if it has no READY endpoint',
  'NAME=80,NAME=20: both, in this ratio',
]

/** One or several registries, as a user names them. */
export interface RegistryNames {
  readonly text: string
  /** Null for a single name. */
  readonly origins: Origins | null
}

/** @throws DiscoError USAGE as `parseOrigins` */
export function readRegistryNames(text: string, source: string): RegistryNames {
  return { text, origins: text.includes(',') ? parseOrigins(text, source) : null }
}

/**
 * Reads `dc1,dc2` (priorities 0 and 1) or `dc1=80,dc2=20` (weights within priority 0).
 *
 * @param source the name of the text in errors
 * @throws DiscoError USAGE
 */
export function parseOrigins(text: string, source = 'from'): Origins {
  const wrong = (why: string) =>
    new DiscoError('USAGE', `Invalid ${source} "${text}": ${why}`, { suggestions: FORMS })
  const entries = text.split(',').map((entry) => {
    const [, registry, weight] = ENTRY.exec(entry) ?? []
    if (registry === undefined) throw wrong(`"${entry}" is not the name of a registry`)
    if (weight !== undefined && Number(weight) === 0) throw wrong(`the weight of ${registry} is 0`)
    return { registry, weight: weight === undefined ? null : Number(weight) }
  })
  const names = entries.map(({ registry }) => registry)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw wrong(`${twice} is named twice`)
  const weighted = entries.filter(({ weight }) => weight !== null).length
  if (weighted > 0 && weighted < entries.length) throw wrong('either all have a weight, or none has')
  const [first, ...more] = entries.map(
    ({ registry, weight }, at): Origin =>
      weight === null ? { registry, priority: at, weight: 1 } : { registry, priority: 0, weight },
  )
  if (first === undefined) throw wrong('it is empty')
  return [first, ...more]
}
