import type { Abortable } from '../domain/abortable.js'
import { prefixRange } from '../etcd/key-range.js'
import type { MemberChecked, MemberStatus } from '../etcd/member-check.js'
import type { Registry } from './registry.js'

export type { MemberChecked, MemberStatus }

/**
 * Asks each member of etcd for its status. Never rejects: after an abort it returns those that have answered.
 *
 * @returns `missing`: number of members without a result, after an abort
 */
export async function checkMembers(
  registry: Registry,
  service: string | undefined,
  options: Abortable,
): Promise<{ readonly members: MemberChecked[]; readonly missing: number }> {
  const { client, reader } = registry.inside(options)
  const members = await client.checkMembers(prefixRange(reader.prefix(service)))
  return { members, missing: client.memberCount - members.length }
}
