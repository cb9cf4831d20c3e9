import { createHash } from 'node:crypto'
import { problemAt } from '../../config/settings.js'
import { DEFAULT_LAYOUT, type Layout, layoutNamed } from '../../domain/layouts/index.js'
import type { PlacedEntry, RegistryFile } from './read.js'

/** A file converted to another layout. */
export interface ConversionResult {
  readonly file: RegistryFile
  /** The information that the new layout cannot store: one sentence for each kind, for the user. */
  readonly leftOut: readonly string[]
}

/**
 * Converts the registrations of a file to another layout. Service, address, version, weight and metadata are kept
 * unchanged; `statedKeys` throws if the new layout cannot store one of them.
 *
 * @param name the new layout's name, or NAME=BASE
 * @throws DiscoError USAGE for endpoints that gRPC does not dial
 */
export function convertFile(file: RegistryFile, name: string): ConversionResult {
  const to = layoutNamed(name)
  const values = new Map<string, number>()
  const ids = new Map<string, number>()
  const entries = file.entries.map((entry): PlacedEntry => {
    const from = layoutNamed(entry.layout ?? DEFAULT_LAYOUT.name)
    if (from.name === to.name && entry.layout === name) return entry
    if (entry.problem !== undefined) {
      throw problemAt({ file: file.name }, entry.at, `${entry.addr} ${entry.problem}`, [
        'Only endpoints that gRPC dials can be converted to another layout: remove this one from the file',
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
      ([from, times]) =>
        `Further fields of ${times === 1 ? '1 value' : `${times} values`} of ${from} are left out: ${to.name} has no place for them`,
    ),
    ...[...ids].map(([from, times]) => `${times} ids of ${from} are left out: its writers generate them`),
  ]
  return { file: { ...file, entries }, leftOut }
}

function count(times: Map<string, number>, name: string): void {
  times.set(name, (times.get(name) ?? 0) + 1)
}

/**
 * The id in the new layout. An id that a writer generated is kept only if writers of the new layout also generate ids. If
 * such a layout gets an entry without an id, the id is derived from the endpoint, so that a second apply writes the same
 * key.
 */
function idFor(entry: PlacedEntry, from: Layout, to: Layout): string | undefined {
  const isGenerated = from.id === 'made' || (from.name === 'go-zero' && entry.leased === true)
  const own = isGenerated && to.id !== 'made' ? undefined : entry.id
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
