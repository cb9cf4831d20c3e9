import type {
  ILeaseGrantResponse,
  ILeaseKeepAliveRequest,
  ILeaseKeepAliveResponse,
  ILeaseTimeToLiveResponse,
  IMember,
  IRangeRequest,
  ITxnRequest,
  ITxnResponse,
  IWatchRequest,
  IWatchResponse,
} from 'etcd3'
import { unlessAborted } from '../domain/abortable.js'
import { type LeaseId, leaseDecimal } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import type { Access } from './access.js'
import { isUnknownLease, translate } from './errors.js'
import type { KeyRange } from './key-range.js'
import { checkMember, type MemberCheckResult } from './member-check.js'
import { type MemberStream, openStream } from './member-stream.js'
import { Members } from './members.js'
import type { EtcdOptions } from './options.js'
import type { AnswerHeader, RangeAnswer } from './range-answer.js'
import { request } from './requests.js'

/** Receives the header of each answer to `range`, and the time that the answer took in milliseconds. */
export type AnswerListener = (header: AnswerHeader, tookMs: number) => void

/**
 * How a user ends a command: `once` aborts at the first request to stop (such as Ctrl-C), `twice` at the second. `once`
 * ends reads, lease grants, and transactions without `onAnswerLost` (see `EtcdClient.txn`). Only `twice` ends a lease
 * revocation, and a transaction with `onAnswerLost` that was sent.
 */
export interface Interruption {
  /**
   * Ends reads, lease grants and transactions without `onAnswerLost`: they reject with the signal's reason. So does a
   * transaction with `onAnswerLost` that was not sent yet; one that was sent goes on. Lease revocations go on.
   */
  readonly once: AbortSignal
  /** Also ends lease revocations, and transactions with `onAnswerLost` that were sent: their outcome is then unknown. */
  readonly twice: AbortSignal
  /** Called before a transaction with `onAnswerLost` is sent. Returns the function to call after its end. */
  onWrite(): () => void
}

export type WatchStream = MemberStream<IWatchRequest, IWatchResponse>
export type KeepAliveStream = MemberStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>

/**
 * etcd's v3 API over one or more members. Requests go to one member and move on to the next when it fails; every
 * request has a deadline. Requests and streams fail with DiscoErrors (ETCD_UNREACHABLE, ETCD_DENIED or INTERNAL). A
 * request that a signal ended rejects with the signal's reason.
 */
export class EtcdClient {
  /** Number of pages and keys that `range` has read so far. Clients made from this one share the count. */
  readonly read = { pages: 0, keys: 0 }

  private constructor(
    private readonly members: Members,
    private readonly options: EtcdOptions,
    private readonly signal: AbortSignal | undefined = undefined,
    private listener: AnswerListener | null = null,
    private readonly interruption: Interruption | null = null,
  ) {}

  /**
   * Creates a client. Reads the password and TLS files at once. Connects only with the first request.
   *
   * @throws DiscoError USAGE
   */
  static async create(options: EtcdOptions): Promise<EtcdClient> {
    return new EtcdClient(await Members.create(options), options)
  }

  /**
   * The same client, but its requests reject with the signal's reason when the signal aborts. Streams are not affected.
   */
  under(signal: AbortSignal | undefined): EtcdClient {
    return signal ? Object.create(this, { signal: { value: signal } }) : this
  }

  /** The same client, but a user can end its requests. Streams are not affected. */
  interruptible(interruption: Interruption): EtcdClient {
    return Object.create(this, { interruption: { value: interruption } })
  }

  async range(request: IRangeRequest): Promise<RangeAnswer> {
    const sentMs = performance.now()
    const access = readOf([request])
    const answer = await this.unary({ access }, (member, deadline) => member.range(request, deadline))
    this.read.pages++
    this.read.keys += answer.pairs.length
    this.listener?.(answer.header, performance.now() - sentMs)
    return answer
  }

  /** Replaces the listener of this client and of the clients made from it by `under` and `interruptible`. */
  listen(listener: AnswerListener): void {
    this.listener = listener
  }

  /** Reads ranges in one transaction: at most 128, etcd's limit. Answers come in the order of the requests. */
  ranges(requests: readonly IRangeRequest[]): Promise<RangeAnswer[]> {
    const success = requests.map((request) => ({ request_range: request }))
    return this.unary({ access: readOf(requests) }, (member, deadline) =>
      member.ranges({ success }, deadline),
    )
  }

  /**
   * Sends a transaction. It may be delivered more than once, so a transaction that writes must compare the keys it
   * changes: after the first delivery the comparison fails.
   *
   * @param onAnswerLost called for each try that etcd may have carried out although no answer came
   */
  async txn(request: ITxnRequest, onAnswerLost?: () => void): Promise<ITxnResponse> {
    const rules = { access: writeOf(request), onAnswerLost }
    const send: Parameters<typeof this.unary<ITxnResponse>>[1] = ({ kv }, deadline) =>
      kv.txn(request, deadline)
    const { interruption } = this
    if (!onAnswerLost || !interruption) return await this.unary(rules, send)
    interruption.once.throwIfAborted()
    const onEnd = interruption.onWrite()
    try {
      return await this.unary(rules, send, interruption.twice)
    } catch (error) {
      if (interruption.twice.aborted) onAnswerLost()
      throw error
    } finally {
      onEnd()
    }
  }

  leaseGrant(ttlSeconds: number): Promise<ILeaseGrantResponse> {
    return this.unary({}, ({ lease }, deadline) => lease.leaseGrant({ TTL: ttlSeconds }, deadline))
  }

  /** Revokes a lease. A lease that no longer exists counts as revoked. */
  async leaseRevoke(id: LeaseId): Promise<void> {
    const revoke: Parameters<typeof this.unary<void>>[1] = async ({ lease }, deadline) => {
      await lease.leaseRevoke({ ID: leaseDecimal(id) }, deadline).catch((error: unknown) => {
        if (!isUnknownLease(error)) throw error
      })
    }
    await this.unary({}, revoke, this.interruption?.twice)
  }

  leaseTimeToLive(id: LeaseId): Promise<ILeaseTimeToLiveResponse> {
    return this.unary({}, ({ lease }, deadline) => lease.leaseTimeToLive({ ID: leaseDecimal(id) }, deadline))
  }

  openWatch(): Promise<WatchStream> {
    return openStream(this.members, this.options, this.members.current, ({ watch }) => watch.watch())
  }

  /**
   * Opens a keep-alive stream to the current member, or, with `beside`, to a member that has no such stream yet. If all
   * members have a stream, the new one uses a second connection to the current member: its first connection may be dead.
   *
   * @param beside keep-alive streams that are open
   */
  openKeepAlive(beside: readonly KeepAliveStream[] = []): Promise<KeepAliveStream> {
    const member = this.members.other(new Set(beside.map(({ url }) => url)))
    const send: Parameters<typeof openStream>[3] = ({ lease }) => lease.leaseKeepAlive()
    if (member) return openStream(this.members, this.options, member, send)
    return openStream(this.members, this.options, this.members.separate(), send, { isOnlyUse: true })
  }

  /**
   * Checks each member, without retries: its status, and whether it answers progress requests. Never rejects: for
   * a member that does not answer, `status` is the error. If the signal of `under` aborts, the result has only the
   * members whose check has ended.
   *
   * @param range the range of a watch that tests whether the member answers progress requests
   */
  async checkMembers(range: KeyRange): Promise<MemberCheckResult[]> {
    const { members, options, signal } = this
    const checks = await Promise.all(
      // Only an abort of the signal rejects this promise, because a check never rejects. That member is then left out.
      [...members].map((member) =>
        unlessAborted(checkMember(members, options, member, range), signal).catch(() => null),
      ),
    )
    return checks.filter((check) => check !== null)
  }

  /** All members of the cluster as etcd lists them, not only those in the options. */
  async listMembers(): Promise<readonly IMember[]> {
    const { members } = await this.unary({}, ({ cluster }, deadline) => cluster.memberList({}, deadline))
    return members
  }

  get memberCount(): number {
    return this.members.count
  }

  /** Converts any error to a DiscoError. Errors of requests and streams are converted already. */
  translate(thrown: unknown): DiscoError {
    return translate(thrown, this.options)
  }

  /**
   * Closes the connections. The caller must first revoke its leases and close its streams: an open stream keeps the
   * process alive.
   */
  close(): void {
    this.members.close()
  }

  /** @param stop ends the request, besides the signal of `under` */
  private unary<T>(
    rules: Parameters<typeof request>[2],
    send: Parameters<typeof request<T>>[3],
    stop: AbortSignal | undefined = this.interruption?.once,
  ): Promise<T> {
    const { signal: own } = this
    const signal = own && stop ? AbortSignal.any([own, stop]) : (own ?? stop)
    return request(this.members, this.options, { ...rules, signal }, send)
  }
}

function readOf(ranges: readonly IRangeRequest[]): Access | undefined {
  const [first] = ranges
  if (!first?.key) return undefined
  return { kind: 'read', key: first.key, rangeEnd: first.range_end, isOneOfSeveral: ranges.length > 1 }
}

/** The permission that a transaction needs. The keys come from `compare`, because a transaction compares every key that it
 * writes. */
function writeOf({ compare = [] }: ITxnRequest): Access | undefined {
  const key = compare[0]?.key
  if (!key) return undefined
  return { kind: 'readwrite', key, isOneOfSeveral: compare.some((other) => !other.key?.equals(key)) }
}
