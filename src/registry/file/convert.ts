import { createHash } from 'node:crypto'
import { problemAt } from '../../config/settings.js'
import { DEFAULT_LAYOUT, type Layout, layoutNamed } from '../../domain/layouts/index.js'
import type { PlacedEntry, RegistryFile } from './read.js'

/** A file in another layout, and the information that this layout cannot carry. */
export interface Converted {
  readonly file: RegistryFile
  /** Left out information, one sentence each. */
  readonly leftOut: readonly string[]
}

/**
 * Converts the registrations of a file to another layout. Service, address, version, weight and metadata are kept
 * unchanged; `statedKeys` refuses those that the layout cannot carry.
 *
 * @param name of the layout, or NAME=BASE
 * @throws DiscoError USAGE for endpoints that gRPC does not dial
 */
export function convertFile(file: RegistryFile, name: string): Converted {
  const to = layoutNamed(name)
  const values = new Map<string, number>()
  const ids = new Map<string, number>()
  const entries = file.entries.map((entry): PlacedEntry => {
    const from = layoutNamed(entry.layout ?? DEFAULT_LAYOUT.name)
    if (from.name === to.name && entry.layout === name) return entry
    if (entry.problem !== undefined) {
      throw problemAt({ file: file.name }, entry.at, `${entry.addr} ${entry.problem}`, [
        `The layout ${to.name} has no place for that: remove it from the file`,
      ])
    }
    const { key: _key, value, id: _id, ...kept } = entry
    if (value !== undefined) count(values, from.name)
    const id = idFor(entry, from, to)
    if (entry.id !== undefined && id !== entry.id) count(ids, from.name)
    return { ...kept, layout: name, ...(id === undefined ? {} : { id }) }
  })
  const leftOut = [
    ...[...values].map(
      ([from, times]) => `${times} of ${from} have further fields, for which ${to.name} has no place`,
    ),
    ...[...ids].map(([from, times]) => `${times} ids of ${from} are left out: its writers generate them`),
  ]
  return { file: { ...file, entries }, leftOut }
}

function count(times: Map<string, number>, name: string): void {
  times.set(name, (times.get(name) ?? 0) + 1)
}

/**
 * The id in the new layout. An id that a writer generated is not kept, because it has no meaning. If the new layout
 * needs an id, it is derived from the endpoint, so that a second apply finds the same keys.
 */
function idFor(entry: PlacedEntry, from: Layout, to: Layout): string | undefined {
  const isMadeUp = from.id === 'made' || (from.name === 'go-zero' && entry.leased === true)
  const own = isMadeUp && to.id !== 'made' ? undefined : entry.id
  if (own !== undefined || to.id !== 'made') return own
  const { service, version = '', addr } = entry
  const digest = createHash('sha256')
    .update(JSON.stringify([service, version, addr]))
    .digest('hex')
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([start, end]) => digest.slice(start, end))
    .join('-')
}
