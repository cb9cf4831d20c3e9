import type { Endpoint } from './endpoint.js'
import { cannotCarry, carriedFields, changedFields, type FieldChange } from './endpoint-fields.js'
import { findLayout } from './layouts/index.js'

/** An endpoint that differs between two states of a registry, or that only one of them has. */
export interface Difference {
  /** The endpoint in each state; null in a state without it. At most one of the two is null. */
  readonly from: Endpoint | null
  readonly to: Endpoint | null
  /** The fields that differ; empty if only one state has the endpoint. */
  readonly fields: readonly DifferentField[]
}

export interface DifferentField extends FieldChange {
  /** The layout that cannot carry the field, which explains the difference. Absent if both layouts can carry it. */
  readonly notCarriedBy?: string
}

/**
 * Compares two states of a registry, endpoint by endpoint. An endpoint is the same in both if service, address and
 * version are equal. If the layout of one state carries no version, service and address suffice, and the version is a
 * field that differs. Leases, revisions and keys are not compared; layouts are.
 *
 * @param isKnown whether both states know a field; other fields are not compared
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
  const carriesNoVersion = (endpoint: Endpoint | null) =>
    endpoint !== null && !(findLayout(endpoint.layout)?.hasVersion ?? true)
  const [left, right] = [exact.flatMap(onlyFrom), exact.flatMap(onlyTo)]
  const loose = pairBy(left, right, ({ service, addr }) => JSON.stringify([service, addr]))
  return [
    ...exact.filter(([one, other]) => one && other),
    ...loose.flatMap(([one, other]): Pair[] => {
      if (one && other && !carriesNoVersion(one) && !carriesNoVersion(other))
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

/**
 * Pairs endpoints with the same identity: first those that also have the same key, then the others in order. An
 * endpoint without a counterpart is paired with null.
 */
function pairBy(
  from: readonly Endpoint[],
  to: readonly Endpoint[],
  identityOf: (endpoint: Endpoint) => string,
): Pair[] {
  const others = new Map<string, Endpoint[]>()
  for (const endpoint of to) {
    const same = others.get(identityOf(endpoint))
    if (same) same.push(endpoint)
    else others.set(identityOf(endpoint), [endpoint])
  }
  const take = (endpoint: Endpoint, isMatch: (other: Endpoint) => boolean): Endpoint | null => {
    const same = others.get(identityOf(endpoint)) ?? []
    const index = same.findIndex(isMatch)
    return index < 0 ? null : (same.splice(index, 1)[0] ?? null)
  }
  const byKey = from.map((endpoint) => [endpoint, take(endpoint, ({ key }) => key === endpoint.key)] as const)
  const pairs = byKey.map(([endpoint, other]): Pair => [endpoint, other ?? take(endpoint, () => true)])
  const left = [...others.values()].flat().map((endpoint): Pair => [null, endpoint])
  return [...pairs, ...left]
}

function fieldsBetween(from: Endpoint, to: Endpoint, isKnown: (field: string) => boolean): DifferentField[] {
  const changes = changedFields(carriedFields(from), carriedFields(to)).filter(({ field }) => isKnown(field))
  return changes.map((change) => {
    const without = [from, to].find(({ layout }) => cannotCarry(layout, change.field))
    return without ? { ...change, notCarriedBy: without.layout } : change
  })
}

/** Sorts by service, address and version. Numbers in them are compared by value: port 900 comes before 1000. */
function sorted(differences: readonly Difference[]): Difference[] {
  const padded = (text: string) => text.replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'))
  const sortKeyOf = ({ from, to }: Difference) => {
    const { service, addr, version } = (from ?? to) as Endpoint
    return [service, padded(addr), padded(version)].join('\0')
  }
  return differences
    .map((difference) => ({ difference, sortKey: sortKeyOf(difference) }))
    .sort((a, b) => (a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0))
    .map(({ difference }) => difference)
}
