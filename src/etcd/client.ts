import { DelegateBackoff, handleWhen, retry } from 'cockatiel'
import type {
  ILeaseGrantResponse,
  ILeaseKeepAliveRequest,
  ILeaseKeepAliveResponse,
  ILeaseTimeToLiveResponse,
  IRangeRequest,
  IRangeResponse,
  ITxnRequest,
  ITxnResponse,
  IWatchRequest,
  IWatchResponse,
} from 'etcd3'
import type { LeaseId } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { speaksPlaintext, speaksTls } from '../tls/probe.js'
import { isTransient, isUnknownLease, translate, translateAll, wasDropped, wasNeverSent } from './errors.js'
import { Member } from './member.js'
import { type EtcdOptions, memberUrl, readTlsFiles } from './options.js'

/** Two more rounds over the members after a refused one: a restarting member is not yet an outage. */
const ROUNDS = 3
const FIRST_ROUND_WAIT_MS = 100

/** A bidirectional stream to one member; it fails when that member does. */
export interface MemberStream<Request, Response> extends AsyncIterable<Response> {
  write(request: Request): void
  /** Ends it, without a word to whoever still reads it. */
  close(): void
  /** Turns later requests to the next member, unless they have turned away from this one already. */
  blame(): void
  /** One try of a plain read at the member of the stream. @throws DiscoError */
  read(request: IRangeRequest, deadlineMs: number): Promise<IRangeResponse>
}

/** What all members that dropped the connection would have spoken, where that is not what they were asked by. */
async function spokenBy(failures: ReadonlyMap<string, unknown>): Promise<'tls' | 'plaintext' | null> {
  const dropped = [...failures.keys()].filter((url) => wasDropped(failures.get(url)))
  const spoken = await Promise.all(
    dropped.map(async (url) => {
      if (url.startsWith('http://')) return (await speaksTls(url)) ? 'tls' : null
      return (await speaksPlaintext(url)) ? 'plaintext' : null
    }),
  )
  const [first = null] = spoken
  return spoken.every((one) => one === first) ? first : null
}

/** As etcd3 hands it out, whatever its types say. */
interface Duplex<Request, Response> extends AsyncIterable<Response> {
  write(request: Request): void
  end(): void
  cancel(): void
}

export type WatchStream = MemberStream<IWatchRequest, IWatchResponse>
export type KeepAliveStream = MemberStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>

/**
 * etcd's v3 API over one or more members. Requests go to one member and move on to the next when it fails;
 * every request has a deadline. What it throws is a DiscoError: ETCD_UNREACHABLE, ETCD_DENIED or INTERNAL.
 */
export class EtcdClient {
  private current = 0

  private constructor(
    private readonly members: readonly Member[],
    private readonly options: EtcdOptions,
  ) {}

  /** Reads the TLS files; connects only with the first request. @throws DiscoError USAGE */
  static async create(options: EtcdOptions): Promise<EtcdClient> {
    const tls = await readTlsFiles(options)
    const urls = options.endpoints.map((endpoint) => memberUrl(endpoint, tls !== null))
    return new EtcdClient(
      urls.map((url) => new Member(url, options, tls)),
      options,
    )
  }

  range(request: IRangeRequest): Promise<IRangeResponse> {
    return this.unary(true, ({ kv }, deadline) => kv.range(request, deadline), request.key)
  }

  /**
   * @param repeatable whether a second delivery does no harm. Otherwise a transaction is sent again only
   *   where it cannot have arrived.
   */
  txn(request: ITxnRequest, { repeatable }: { repeatable: boolean }): Promise<ITxnResponse> {
    return this.unary(repeatable, ({ kv }, deadline) => kv.txn(request, deadline), request.compare?.[0]?.key)
  }

  leaseGrant(ttlSeconds: number): Promise<ILeaseGrantResponse> {
    return this.unary(true, ({ lease }, deadline) => lease.leaseGrant({ TTL: ttlSeconds }, deadline))
  }

  /** A lease that is gone already is as good as revoked. */
  async leaseRevoke(id: LeaseId): Promise<void> {
    await this.unary(true, async ({ lease }, deadline) => {
      await lease.leaseRevoke({ ID: id }, deadline).catch((error: unknown) => {
        if (!isUnknownLease(error)) throw error
      })
    })
  }

  leaseTimeToLive(id: LeaseId): Promise<ILeaseTimeToLiveResponse> {
    return this.unary(true, ({ lease }, deadline) => lease.leaseTimeToLive({ ID: id }, deadline))
  }

  openWatch(): Promise<WatchStream> {
    return this.open(({ watch }) => watch.watch())
  }

  openKeepAlive(): Promise<KeepAliveStream> {
    return this.open(({ lease }) => lease.leaseKeepAlive())
  }

  get memberCount(): number {
    return this.members.length
  }

  /** An error of a raw stream in the words of this link. */
  translate(thrown: unknown): DiscoError {
    return translate(thrown, this.options)
  }

  /** Close streams and revoke leases first: what is still open keeps the process alive. */
  close(): void {
    for (const member of this.members) member.close()
  }

  private get member(): Member {
    const member = this.members[this.current]
    if (!member) throw new Error('an etcd client needs at least one endpoint')
    return member
  }

  private moveOnFrom(failed: Member): void {
    if (this.member === failed) this.current = (this.current + 1) % this.members.length
  }

  private async open<Request, Response>(
    send: (member: Member) => Promise<unknown>,
  ): Promise<MemberStream<Request, Response>> {
    const { member } = this
    const blame = () => this.moveOnFrom(member)
    const stream = (await send(member).catch((error: unknown) => {
      blame()
      throw error
    })) as Duplex<Request, Response>
    return {
      write: (request) => stream.write(request),
      // A half-closed stream is cancelled without etcd3 taking its member for failed.
      close: () => {
        stream.end()
        stream.cancel()
      },
      blame,
      read: (request, deadlineMs) =>
        member.kv.range(request, { deadline: Date.now() + deadlineMs }).catch((error: unknown) => {
          throw this.translate(error)
        }),
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    }
  }

  private async unary<T>(
    repeatable: boolean,
    send: (member: Member, options: { deadline: number }) => Promise<T>,
    about?: Buffer | string,
  ): Promise<T> {
    const start = Date.now()
    const end = start + this.options.commandTimeoutMs
    const members = this.members.length
    let tries = 0
    const failures = new Map<string, unknown>()
    const mayRetry = (error: Error) =>
      isTransient(error) && (repeatable || wasNeverSent(error)) && Date.now() < end - 10
    const policy = retry(handleWhen(mayRetry), {
      maxAttempts: ROUNDS * members - 1,
      // The next member is asked at once; only a round that found nobody is worth a wait.
      backoff: new DelegateBackoff(() =>
        tries % members === 0 ? (FIRST_ROUND_WAIT_MS * tries) / members : 0,
      ),
    })
    try {
      return await policy.execute(async () => {
        const { member } = this
        tries++
        const deadline = this.tryUntil(end, tries)
        member.patientUntilMs = deadline
        try {
          return await send(member, { deadline })
        } catch (error) {
          if (isTransient(error)) this.moveOnFrom(member)
          // The last failure stands last.
          failures.delete(member.url)
          failures.set(member.url, error)
          throw error
        }
      })
    } catch (error) {
      if (failures.size === 0) throw this.translate(error)
      const effort = { tries, elapsedMs: Date.now() - start }
      const facts = { ...this.options, effort, ...(about ? { about: about.toString() } : {}) }
      throw translateAll(failures, { ...facts, speaks: await spokenBy(failures) })
    }
  }

  /** A mute member may take the whole time only where nobody else can be asked; each round allows more. */
  private tryUntil(end: number, tries: number): number {
    if (this.members.length === 1) return end
    const round = Math.ceil(tries / this.members.length)
    return Math.min(end, Date.now() + this.options.dialTimeoutMs * round)
  }
}
