import { prefixRange } from '../etcd/key-range.js'
import type { MemberChecked, MemberStatus } from '../etcd/member-check.js'
import type { Registry } from './registry.js'

export type { MemberChecked, MemberStatus }

/** Asks each member of etcd for its status. Never rejects. */
export function checkMembers(registry: Registry, service?: string): Promise<MemberChecked[]> {
  const { client, reader } = registry.inside()
  return client.checkMembers(prefixRange(reader.prefix(service)))
}
