import { createHash } from 'node:crypto'
import { problemAt } from '../../config/settings.js'
import { DEFAULT_LAYOUT, type Layout, layoutNamed } from '../../domain/layouts/index.js'
import type { PlacedEntry, RegistryFile } from './read.js'

/** A file in another layout, and what that leaves out. */
export interface Converted {
  readonly file: RegistryFile
  /** One sentence each: values of the old layout that disco does not model. */
  readonly leftOut: readonly string[]
}

/**
 * The registrations of a file in another layout: service, address, version, weight and metadata, each exactly or not at
 * all. `statedKeys` refuses what the layout cannot carry.
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
      ([from, times]) => `${times} of ${from} have fields of their own, which ${to.name} has no place for`,
    ),
    ...[...ids].map(([from, times]) => `${times} ids of ${from} are left out: it makes them up`),
  ]
  return { file: { ...file, entries }, leftOut }
}

function count(times: Map<string, number>, name: string): void {
  times.set(name, (times.get(name) ?? 0) + 1)
}

/**
 * An id that a writer made up says nothing about an endpoint, and is not carried over. One that the new layout needs is
 * made of the endpoint, so that a second apply finds the same keys.
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
