import { problemAt } from '../../config/settings.js'
import type { Endpoint, EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { shownKey } from '../../domain/key-text.js'
import { fileRecordsOf } from '../../domain/layouts/file-records.js'
import { DEFAULT_LAYOUT, type EndpointRecords, type Layout, layoutNamed } from '../../domain/layouts/index.js'
import { rooted, withoutRoot } from '../../domain/layouts/root.js'
import { firstDifference } from './compare.js'
import type { PlacedEntry, RegistryFile } from './read.js'

/** A key that a file states. */
export interface StatedKey {
  readonly key: string
  readonly value: Uint8Array
  /** The layout at the base of the key, under the root. */
  readonly layout: Layout
  /** The records that the layout decodes from key and value. */
  readonly records: EndpointRecords
  /** Whether the file has a value. If not, the layout has written `value` from the fields. */
  readonly isExact: boolean
  /** Whether the key is to have a lease. */
  readonly leased: boolean
  /** The TTL of that lease; null if the file has none. */
  readonly grantedTtlSeconds: number | null
  /** One entry for each address. */
  readonly entries: Entries
}

/**
 * The keys that a file states.
 *
 * @param root the prefix of all keys, in place of the file's own
 * @throws DiscoError USAGE with file, line and column
 */
export function statedKeys(file: RegistryFile, root: string = file.root): StatedKey[] {
  const keys = new Map<string, StatedKey>()
  for (const entries of registrationsIn(file.entries)) {
    const stated = statedKey(file, entries, root)
    const other = keys.get(stated.key)
    if (other) {
      const where = `${other.entries[0].at.line}:${other.entries[0].at.column}`
      throw at(file, entries[0], `${shownKey(stated.key)} is given twice: also at ${where}`)
    }
    keys.set(stated.key, stated)
  }
  return [...keys.values()]
}

/**
 * The endpoints that a file states, without leases and revisions. @throws DiscoError USAGE with file, line and column
 */
export function endpointsOfFile(file: RegistryFile, root?: string): Endpoint[] {
  return statedKeys(file, root).flatMap(({ key, layout, records }) =>
    records.map((record) => ({
      ...record,
      key,
      layout: layout.name,
      problem: record.problem ?? null,
      lease: null,
      createRevision: 0,
      modRevision: 0,
    })),
  )
}

export type Entries = readonly [PlacedEntry, ...PlacedEntry[]]

/** Entries with the same key are the addresses of one registration. */
function registrationsIn(entries: readonly PlacedEntry[]): Entries[] {
  const byKey = new Map<string, [PlacedEntry, ...PlacedEntry[]]>()
  const all: Entries[] = []
  for (const entry of entries) {
    const same = entry.key === undefined ? undefined : byKey.get(entry.key)
    if (same) same.push(entry)
    else {
      const own: [PlacedEntry] = [entry]
      all.push(own)
      if (entry.key !== undefined) byKey.set(entry.key, own)
    }
  }
  return all
}

function statedKey(file: RegistryFile, entries: Entries, root: string): StatedKey {
  const [entry] = entries
  const unrooted = placedLayout(file, entry)
  const differing = entries.find((one) => SHARED.some((name) => one[name] !== entry[name]))
  if (differing) {
    const name = SHARED.find((one) => differing[one] !== entry[one])
    throw at(file, differing, `addresses under one key must have the same value of ${name}`)
  }
  const layout = rooted(unrooted, root)
  const isExact = entry.value !== undefined
  const stored = isExact ? kept(file, layout, entries, root) : written(file, layout, entries)
  if (!isExact && entry.key !== undefined) {
    const own = written(file, rooted(unrooted, file.root), entries).key
    if (own !== entry.key) {
      throw at(file, entry, `key is ${shownKey(entry.key)}, but the other fields give ${shownKey(own)}`)
    }
  }
  const { leased = layout.wantsLease, grantedTtlSeconds = null } = entry
  return { ...stored, layout, leased, grantedTtlSeconds, entries, isExact }
}

const SHARED = ['service', 'version', 'weight', 'layout', 'leased'] as const

/** The layout of an entry at the base of its key. */
function placedLayout(file: RegistryFile, entry: PlacedEntry): Layout {
  const layout = layoutNamed(entry.layout ?? DEFAULT_LAYOUT.name)
  if (entry.key === undefined) return layout
  const base = layout.baseOf(withoutRoot(file.root, entry.key, layout))
  if (base === null) throw at(file, entry, `${shownKey(entry.key)} is not a key of the layout ${layout.name}`)
  return base === layout.base ? layout : layout.at(base)
}

/** The records that the fields of entries state. */
function recordsOf([first, ...rest]: Entries, layout: Layout): EndpointRecords {
  return [recordOf(first, layout), ...rest.map((entry) => recordOf(entry, layout))]
}

function recordOf(
  { service, addr, version, weight, metadata, id }: PlacedEntry,
  layout: Layout,
): EndpointRecord {
  return {
    service,
    addr,
    version: version ?? '',
    weight: weight ?? (layout.weightless === null ? layout.firstWeight : 0),
    metadata: metadata ?? {},
    ...(id === undefined ? {} : { id }),
  }
}

/** Key and value written by the layout. @throws DiscoError USAGE if the layout cannot keep all fields */
function written(
  file: RegistryFile,
  layout: Layout,
  entries: Entries,
): Pick<StatedKey, 'key' | 'value' | 'records'> {
  const records = recordsOf(entries, layout)
  const { key, value } = placed(file, entries[0], () => layout.encode(records, null))
  const decoded = layout.decode(key, value)
  const read = decoded.kind === 'endpoints' ? decoded.records : null
  const lost = read && firstDifference(records, fileRecordsOf(layout, { key, value, records: read }).records)
  if (read === null || lost !== null) {
    throw at(file, entries[0], `the layout ${layout.name} cannot carry this ${lost ?? 'registration'}`)
  }
  return { key, value, records: read }
}

/** Adds the position in the file to an error of a layout. */
function placed<Result>(file: RegistryFile, entry: PlacedEntry, write: () => Result): Result {
  try {
    return write()
  } catch (error) {
    throw error instanceof DiscoError ? at(file, entry, error.message, error.suggestions) : error
  }
}

/**
 * Key and value as the file states them. The fields must agree with the value, except for the weight: a changed weight is
 * written to the value.
 */
function kept(
  file: RegistryFile,
  layout: Layout,
  entries: Entries,
  root: string,
): Pick<StatedKey, 'key' | 'value' | 'records'> {
  const [entry] = entries
  const { key: stored, value: given } = entry
  if (stored === undefined || given === undefined)
    throw at(file, entry, 'value needs key: give both, or leave value out')
  const own = withoutRoot(file.root, stored, layout)
  const key = root === '' ? own : root + own.replace(/^\/+/, '')
  const decode = (bytes: Uint8Array) => {
    const decoded = layout.decode(key, bytes)
    if (decoded.kind === 'endpoints') return decoded.records
    const problem = decoded.kind === 'unusable' ? decoded.problem.text : `it is ${decoded.purpose}`
    throw at(file, entry, `${shownKey(key)}: ${problem}`)
  }
  const before = decode(given)
  const fields = recordsOf(entries, layout)
  const weight = fields[0].weight
  const isSame = entry.weight == null || before[0].weight === weight
  const value = isSame ? given : placed(file, entry, () => layout.withWeight(given, weight))
  const records = isSame ? before : decode(value)
  const stated = fileRecordsOf(layout, { key, value, records }).records
  const compared = fields.map((field, index) => ({
    ...field,
    weight: entry.weight == null ? (stated[index]?.weight ?? 0) : field.weight,
  }))
  const lost = firstDifference(compared, stated)
  if (lost !== null) {
    throw at(file, entry, `value and fields differ in ${lost}`, [
      'Change the value as well, or remove value and key: the value is then written from the fields',
    ])
  }
  return { key, value, records }
}

function at(file: RegistryFile, entry: PlacedEntry, text: string, hints: readonly string[] = []): DiscoError {
  return problemAt({ file: file.name }, entry.at, text, [...hints])
}
