import type { IStatusResponse, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { alarmsIn } from './error-texts.js'
import { translate } from './errors.js'
import type { KeyRange } from './key-range.js'
import type { Member } from './member.js'
import { openStream } from './member-stream.js'
import type { Members } from './members.js'
import type { EtcdOptions } from './options.js'
import { within } from './requests.js'

/** The status that a member reports. Ids are decimal, as in etcd's API. */
export interface MemberStatus {
  readonly version: string
  readonly memberId: string
  readonly clusterId: string
  /** The leader according to this member; null if it knows none. */
  readonly leaderId: string | null
  readonly isLearner: boolean
  readonly raftTerm: number
  /** The index of the last entry of the raft log that it has applied. */
  readonly appliedIndex: number
  readonly revision: Revision
  /** Alarms of any member, such as NOSPACE. */
  readonly alarms: readonly string[]
  /** The time that the status request took, over an open connection. */
  readonly latencyMs: number
  /**
   * Whether the member answers progress requests of a watch. etcd does; `etcd grpc-proxy` does not. Null if the watch
   * could not be opened, or failed.
   */
  readonly answersProgress: boolean | null
}

export interface MemberCheckResult {
  /** The URL of the member, without credentials. */
  readonly url: string
  /** The member's status, or the error if it did not answer. */
  readonly status: MemberStatus | DiscoError
}

/** Time for the answer to a progress request, in addition to ten round trips. */
const PROGRESS_MS = 1_000

/** Requests the status of a member. Never rejects. */
export async function checkMember(
  members: Members,
  options: EtcdOptions,
  member: Member,
  range: KeyRange,
): Promise<MemberCheckResult> {
  const { url } = member
  try {
    // The first request opens the connection, so only the second one is timed.
    await statusOf(member, options)
    const startMs = performance.now()
    const status = await statusOf(member, options)
    const latencyMs = performance.now() - startMs
    const answersProgress = await isAnswering(members, options, member, range, latencyMs)
    return { url, status: readStatus(status, latencyMs, answersProgress) }
  } catch (error) {
    return { url, status: translate(error, { ...options, endpoints: [url] }) }
  }
}

function statusOf(member: Member, { commandTimeoutMs }: EtcdOptions): Promise<IStatusResponse> {
  return within(member, commandTimeoutMs, ({ maintenance }, deadline) => maintenance.status(deadline))
}

function readStatus(
  status: IStatusResponse,
  latencyMs: number,
  answersProgress: boolean | null,
): MemberStatus {
  const { header, version, leader, raftTerm, raftIndex, raftAppliedIndex, errors = [], isLearner } = status
  return {
    version,
    memberId: header.member_id,
    clusterId: header.cluster_id,
    leaderId: leader === '0' ? null : leader,
    isLearner: isLearner ?? false,
    raftTerm: Number(raftTerm),
    // Absent before etcd 3.4.
    appliedIndex: Number(raftAppliedIndex) || Number(raftIndex),
    revision: Number(header.revision),
    alarms: alarmsIn(errors),
    latencyMs,
    answersProgress,
  }
}

/** Opens a watch and sends a progress request. See `MemberStatus.answersProgress`. */
async function isAnswering(
  members: Members,
  options: EtcdOptions,
  member: Member,
  range: KeyRange,
  latencyMs: number,
): Promise<boolean | null> {
  const stream = await openStream<IWatchRequest, IWatchResponse>(members, options, member, ({ watch }) =>
    watch.watch(),
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PROGRESS_MS + 10 * latencyMs)
  })
  const responses = stream[Symbol.asyncIterator]()
  const next = () => Promise.race([responses.next(), late])
  try {
    stream.write({ create_request: range })
    const created = await next()
    if (!created || created.done || created.value.canceled) return null
    stream.write({ progress_request: {} })
    for (;;) {
      const answer = await next()
      if (answer === null) return false
      if (answer.done || answer.value.canceled) return null
      if (answer.value.events.length === 0) return true
    }
  } catch {
    // Without a leader, etcd ends watches; the status shows that.
    return null
  } finally {
    clearTimeout(timer)
    stream.close()
    // A pending read fails when the stream is closed.
    void responses.next().catch(() => undefined)
  }
}
