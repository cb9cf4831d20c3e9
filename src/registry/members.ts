import type { Abortable } from '../domain/abortable.js'
import { DiscoError } from '../domain/errors.js'
import { prefixRange } from '../etcd/key-range.js'
import type { MemberCheckResult, MemberStatus } from '../etcd/member-check.js'
import type { Registry } from './registry.js'

export type { MemberCheckResult, MemberStatus }

/** The result of a check of etcd's members. */
export interface MembersCheckResult {
  readonly members: readonly MemberCheckResult[]
  /** Number of given endpoints without a result, after an abort. */
  readonly missing: number
  /** Members that etcd lists but that are not among the given endpoints; the error if etcd did not list its members. */
  readonly others: readonly OtherMember[] | DiscoError
}

/** A member that was not checked. */
interface OtherMember {
  /** Its name; for a member that has not started yet, its id in hex as in `etcdctl member list`. */
  readonly name: string
  /** The URLs that it advertises to clients. */
  readonly urls: readonly string[]
}

/** Asks each given endpoint of etcd for its status. Never rejects: after an abort it returns the results so far. */
export async function checkMembers(
  registry: Registry,
  service: string | undefined,
  options: Abortable,
): Promise<MembersCheckResult> {
  const { client, reader } = registry.internals(options)
  const [members, all] = await Promise.all([
    client.checkMembers(prefixRange(reader.prefix(service))),
    client
      .listMembers()
      .catch((error: unknown) =>
        options.signal?.aborted ? new DiscoError('INTERRUPTED', 'interrupted') : DiscoError.from(error),
      ),
  ])
  const missing = client.memberCount - members.length
  return { members, missing, others: all instanceof DiscoError ? all : othersIn(all, members) }
}

/** A grpc-proxy lists itself, without an id. */
const NO_ID = '0'

/** The members that are not among the given endpoints, sorted by name, since etcd lists them in any order. */
function othersIn(
  all: readonly { readonly ID: string; readonly name: string; readonly clientURLs: readonly string[] }[],
  members: readonly MemberCheckResult[],
): OtherMember[] {
  const ids = members.map(({ status }) => (status instanceof DiscoError ? NO_ID : status.memberId))
  const known = new Set([NO_ID, ...ids])
  const named = new Set(members.map(({ url }) => url))
  return all
    .filter(({ ID, clientURLs }) => !known.has(ID) && !clientURLs.some((url) => named.has(url)))
    .map(({ ID, name, clientURLs }) => ({ name: name || BigInt(ID).toString(16), urls: clientURLs }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
