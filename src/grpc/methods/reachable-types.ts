import type { DescEnum, DescMessage } from '@bufbuild/protobuf'

export type DescType = DescMessage | DescEnum

/** Types that messages reach over their fields, as far as they are listed. */
export interface Reachable {
  /** The messages themselves first, then what their fields have, nearest first, without Google's own. */
  readonly types: readonly DescType[]
  /** How many more there are. */
  readonly left: number
}

/** Every message and enum that messages reach; messages may name each other. @param most how many to list */
export function reachableTypes(roots: readonly DescType[], most: number): Reachable {
  // A Set is visited in the order of insertion, those that are added meanwhile included.
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

/** Whether everybody knows a type. */
export function isGoogle({ typeName }: DescType): boolean {
  return typeName.startsWith('google.protobuf.')
}
