import type { Endpoint } from './endpoint.js'
import { carriedFields, changedFields, type FieldChange, lacks } from './endpoint-fields.js'
import { findLayout } from './layouts/index.js'

/** An endpoint that differs between two states, or is only in one. */
export interface Difference {
  /** The endpoint in each state; null where it is missing. One of them is present. */
  readonly from: Endpoint | null
  readonly to: Endpoint | null
  /** Fields that differ, if both states have it. */
  readonly fields: readonly DifferentField[]
}

export interface DifferentField extends FieldChange {
  /** The layout that cannot carry the field: the difference follows from the layouts. Absent otherwise. */
  readonly notCarriedBy?: string
}

/**
 * Compares two states by endpoint: service, address and version. Leases, revisions and keys do not count; a different
 * layout does. If the layout of one state carries no version, the version is a field that differs.
 *
 * @param isKnown selects the fields that both states have
 */
export function differencesBetween(
  from: readonly Endpoint[],
  to: readonly Endpoint[],
  isKnown: (field: string) => boolean = () => true,
): Difference[] {
  const differences: Difference[] = []
  for (const [before, after] of pairsOf(from, to)) {
    if (!before || !after) {
      differences.push({ from: before, to: after, fields: [] })
      continue
    }
    const fields = fieldsBetween(before, after, isKnown)
    if (fields.length > 0) differences.push({ from: before, to: after, fields })
  }
  return sorted(differences)
}

type Pair = readonly [from: Endpoint | null, to: Endpoint | null]

function pairsOf(from: readonly Endpoint[], to: readonly Endpoint[]): Pair[] {
  const exact = pairBy(from, to, ({ service, addr, version }) => JSON.stringify([service, addr, version]))
  const withoutVersion = (endpoint: Endpoint | null) =>
    endpoint !== null && !(findLayout(endpoint.layout)?.hasVersion ?? true)
  const [left, right] = [exact.flatMap(onlyFrom), exact.flatMap(onlyTo)]
  const loose = pairBy(left, right, ({ service, addr }) => JSON.stringify([service, addr]))
  return [
    ...exact.filter(([one, other]) => one && other),
    ...loose.flatMap(([one, other]): Pair[] => {
      if (one && other && !withoutVersion(one) && !withoutVersion(other))
        return [
          [one, null],
          [null, other],
        ]
      return [[one, other]]
    }),
  ]
}

const onlyFrom = ([from, to]: Pair): Endpoint[] => (from && !to ? [from] : [])
const onlyTo = ([from, to]: Pair): Endpoint[] => (to && !from ? [to] : [])

/** Pairs endpoints of the same name: those with the same key first, then the others in their order. */
function pairBy(
  from: readonly Endpoint[],
  to: readonly Endpoint[],
  nameOf: (endpoint: Endpoint) => string,
): Pair[] {
  const others = new Map<string, Endpoint[]>()
  for (const endpoint of to) {
    const named = others.get(nameOf(endpoint))
    if (named) named.push(endpoint)
    else others.set(nameOf(endpoint), [endpoint])
  }
  const take = (endpoint: Endpoint, isMatch: (other: Endpoint) => boolean): Endpoint | null => {
    const named = others.get(nameOf(endpoint)) ?? []
    const index = named.findIndex(isMatch)
    return index < 0 ? null : (named.splice(index, 1)[0] ?? null)
  }
  const byKey = from.map((endpoint) => [endpoint, take(endpoint, ({ key }) => key === endpoint.key)] as const)
  const pairs = byKey.map(([endpoint, other]): Pair => [endpoint, other ?? take(endpoint, () => true)])
  const left = [...others.values()].flat().map((endpoint): Pair => [null, endpoint])
  return [...pairs, ...left]
}

function fieldsBetween(from: Endpoint, to: Endpoint, isKnown: (field: string) => boolean): DifferentField[] {
  const changes = changedFields(carriedFields(from), carriedFields(to)).filter(({ field }) => isKnown(field))
  return changes.map((change) => {
    const without = [from, to].find(({ layout }) => lacks(layout, change.field))
    return without ? { ...change, notCarriedBy: without.layout } : change
  })
}

/** By service, address and version, with numbers by their value: port 900 before 1000. */
function sorted(differences: readonly Difference[]): Difference[] {
  const padded = (text: string) => text.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'))
  const placeOf = ({ from, to }: Difference) => {
    const { service, addr, version } = (from ?? to) as Endpoint
    return [service, padded(addr), padded(version)].join('\0')
  }
  return differences
    .map((difference) => ({ difference, place: placeOf(difference) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ difference }) => difference)
}
