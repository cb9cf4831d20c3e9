import { asSent, type RangeRule } from './sorted-keys.js'
import type { View } from './store.js'
import type { Version } from './version.js'
import type { RangeRequest } from './wire/requests.js'

/** RangeRequest.SortOrder and SortTarget (etcd API). */
const SortOrder = { NONE: 0, ASCEND: 1, DESCEND: 2 } as const
const SortTarget = { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 } as const

export interface RangeResult {
  readonly versions: readonly Version[]
  readonly more: boolean
  /** The number of pairs in the range, before limit and filters. */
  readonly count: number
  /** The store's newest revision, not the revision of the request. */
  readonly revision: number
}

/**
 * Answers a range in etcd's order of steps: cut to limit + 1 if no later step needs the pairs, filter, sort, cut to the
 * limit. If the sort target is not the key, pairs are sorted ascending even when no order is requested, but after the
 * early cut.
 */
export function selectRange(view: View, request: RangeRequest, rule: RangeRule = asSent): RangeResult {
  const all = view.range(rule(request.key, request.rangeEnd), request.revision)
  const shared = { count: all.length, revision: view.revision }
  if (request.countOnly) return { ...shared, versions: [], more: false }

  const { limit } = request
  const filtered = hasFilters(request)
  const cutEarly = limit > 0 && request.sortOrder === SortOrder.NONE && !filtered
  let versions = cutEarly ? all.slice(0, limit + 1) : all
  if (filtered) versions = versions.filter((version) => passes(request, version))
  versions = sorted(versions, request)
  const more = limit > 0 && versions.length > limit
  return { ...shared, versions: more ? versions.slice(0, limit) : versions, more }
}

function hasFilters(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request
  return (minModRevision || maxModRevision || minCreateRevision || maxCreateRevision) !== 0
}

/** A bound of 0 means unbounded. */
function passes(request: RangeRequest, { modRevision, createRevision }: Version): boolean {
  if (request.maxModRevision !== 0 && modRevision > request.maxModRevision) return false
  if (request.minModRevision !== 0 && modRevision < request.minModRevision) return false
  if (request.maxCreateRevision !== 0 && createRevision > request.maxCreateRevision) return false
  return request.minCreateRevision === 0 || createRevision >= request.minCreateRevision
}

type Comparison = (a: Version, b: Version) => number

const comparisons: Readonly<Record<number, Comparison>> = {
  [SortTarget.KEY]: (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  [SortTarget.VERSION]: (a, b) => a.version - b.version,
  [SortTarget.CREATE]: (a, b) => a.createRevision - b.createRevision,
  [SortTarget.MOD]: (a, b) => a.modRevision - b.modRevision,
  [SortTarget.VALUE]: (a, b) => a.value.compare(b.value),
}

/** Sorts pairs. Equal ones stay in key order, as in etcd for lists of up to twelve. */
function sorted(versions: Version[], { sortOrder, sortTarget }: RangeRequest): Version[] {
  const compare = comparisons[sortTarget]
  if (compare === undefined) return versions
  if (sortOrder === SortOrder.DESCEND) return versions.toSorted((a, b) => compare(b, a))
  const inKeyOrder = sortTarget === SortTarget.KEY
  return inKeyOrder || (sortOrder !== SortOrder.NONE && sortOrder !== SortOrder.ASCEND)
    ? versions
    : versions.toSorted(compare)
}
