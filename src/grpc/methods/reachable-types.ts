import type { DescEnum, DescMessage } from '@bufbuild/protobuf'

export type DescType = DescMessage | DescEnum

/** Types that messages use, directly or through other messages, up to a limit. */
export interface Reachable {
  /** The messages first, then the types of their fields, by distance. google.protobuf types are not included. */
  readonly types: readonly DescType[]
  /** The number of further types beyond the limit. */
  readonly left: number
}

/**
 * Finds the messages and enums that types use, directly or through other messages.
 *
 * @param most maximum number of types in the result, including `roots`
 */
export function reachableTypes(roots: readonly DescType[], most: number): Reachable {
  // The loop also visits the types that it adds to the set.
  const reached = new Set<DescType>(roots)
  for (const type of reached) {
    if (type.kind === 'enum') continue
    for (const { message, enum: enumeration } of type.fields) {
      const inner = message ?? enumeration
      if (inner && !isGoogle(inner)) reached.add(inner)
    }
  }
  return { types: [...reached].slice(0, most), left: Math.max(0, reached.size - most) }
}

/** Whether a type belongs to the package google.protobuf. */
export function isGoogle({ typeName }: DescType): boolean {
  return typeName.startsWith('google.protobuf.')
}
