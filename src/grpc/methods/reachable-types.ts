import type { DescEnum, DescMessage } from '@bufbuild/protobuf'

export type DescType = DescMessage | DescEnum

/** Types reachable from messages by their fields, up to a limit. */
export interface Reachable {
  /** The messages themselves first, then the types of their fields, nearest first, without Google's own. */
  readonly types: readonly DescType[]
  /** The number of types beyond the limit. */
  readonly left: number
}

/** All messages and enums reachable from messages, which may refer to each other. @param most the limit */
export function reachableTypes(roots: readonly DescType[], most: number): Reachable {
  // A Set is visited in the order of insertion, including elements added meanwhile.
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

/** Whether a type is one of Google's well-known types. */
export function isGoogle({ typeName }: DescType): boolean {
  return typeName.startsWith('google.protobuf.')
}
