import type { EndpointRecord } from '../../domain/endpoint.js'

/** The first field in which registrations differ; null if they are equal. */
export function firstDifference(
  asked: readonly EndpointRecord[],
  read: readonly EndpointRecord[],
): string | null {
  if (asked.length !== read.length) return 'number of addresses'
  for (const [index, one] of asked.entries()) {
    const other = read[index]
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
