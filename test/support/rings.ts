import { Ring } from '../../src/policies/ring.js'

export interface RingMember {
  readonly id: string
  readonly weight: number
}

export function ringOf(members: readonly RingMember[]): Ring<RingMember> {
  const ring = new Ring<RingMember>()
  for (const member of members) ring.put(member, member.id, member.weight)
  return ring
}
