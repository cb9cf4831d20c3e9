import type { EndpointRecord } from '../../domain/endpoint.js'

/**
 * The first difference between the endpoints of two registrations, for messages: the name of a field, or `number of
 * addresses`. Null if they are equal.
 */
export function firstDifference(
  wanted: readonly EndpointRecord[],
  actual: readonly EndpointRecord[],
): string | null {
  if (wanted.length !== actual.length) return 'number of addresses'
  for (const [index, one] of wanted.entries()) {
    const other = actual[index]
    const name = FIELDS.find((field) => one[field] !== other?.[field])
    if (name !== undefined) return name
    if (!isSameMap(one.metadata, other?.metadata ?? {})) return 'metadata'
  }
  return null
}

const FIELDS = ['service', 'addr', 'version', 'weight', 'id'] as const

function isSameMap(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
