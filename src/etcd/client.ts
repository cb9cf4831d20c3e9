import { ExponentialBackoff, handleWhen, noop, retry } from 'cockatiel'
import {
  Etcd3,
  type ILeaseGrantResponse,
  type ILeaseKeepAliveRequest,
  type ILeaseKeepAliveResponse,
  type ILeaseTimeToLiveResponse,
  type IRangeRequest,
  type IRangeResponse,
  type ITxnRequest,
  type ITxnResponse,
  type IWatchRequest,
  type IWatchResponse,
} from 'etcd3'
import type { LeaseId } from '../domain/endpoint.js'
import { isTransient, type LinkFacts, translate, wasNeverSent } from './errors.js'
import { type EtcdOptions, memberUrl, readTlsFiles } from './options.js'

/** etcd answers pings under 5 s with GOAWAY. */
const KEEPALIVE_PERIOD_MS = 10_000
const KEEPALIVE_DEADLINE_MS = 3_000

/** Two more tries after a refused one, all within two seconds: a restarting member is not yet an outage. */
const RETRIES = 2

interface Duplex<Request, Response> extends AsyncIterable<Response> {
  write(request: Request): void
  end(): void
  cancel(): void
}

export type WatchStream = Duplex<IWatchRequest, IWatchResponse>
export type KeepAliveStream = Duplex<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>

/**
 * etcd's v3 API over one or more members. Requests go to one member and move on to the next when it fails;
 * every request has a deadline. What it throws is a DiscoError: ETCD_UNREACHABLE, ETCD_DENIED or INTERNAL.
 */
export class EtcdClient {
  private current = 0

  private constructor(
    private readonly members: readonly Etcd3[],
    private readonly options: EtcdOptions,
  ) {}

  /** Reads the TLS files; connects only with the first request. @throws DiscoError USAGE */
  static async create(options: EtcdOptions): Promise<EtcdClient> {
    const tls = await readTlsFiles(options)
    const urls = options.endpoints.map((endpoint) => memberUrl(endpoint, tls !== null))
    const members = urls.map(
      (url) =>
        new Etcd3({
          hosts: url,
          grpcOptions: {
            'grpc.max_receive_message_length': -1,
            'grpc.keepalive_time_ms': KEEPALIVE_PERIOD_MS,
            'grpc.keepalive_timeout_ms': KEEPALIVE_DEADLINE_MS,
            'grpc.enable_http_proxy': 0,
            'grpc.initial_reconnect_backoff_ms': 100,
            'grpc.max_reconnect_backoff_ms': 2_000,
          },
          ...(tls ? { credentials: tls } : {}),
          ...(options.user ? { auth: { username: options.user, password: options.password ?? '' } } : {}),
          // Its circuit breaker hides the cause of a failure; retries are ours, member by member.
          faultHandling: { host: () => noop, global: noop },
        }),
    )
    return new EtcdClient(members, options)
  }

  range(request: IRangeRequest): Promise<IRangeResponse> {
    return this.unary(true, (member, deadline) => member.kv.range(request, deadline))
  }

  /**
   * @param repeatable whether a second delivery does no harm. Otherwise a transaction is sent again only
   *   where it cannot have arrived.
   */
  txn(request: ITxnRequest, { repeatable }: { repeatable: boolean }): Promise<ITxnResponse> {
    return this.unary(repeatable, (member, deadline) => member.kv.txn(request, deadline))
  }

  leaseGrant(ttlSeconds: number): Promise<ILeaseGrantResponse> {
    return this.unary(true, (member, deadline) =>
      member.leaseClient.leaseGrant({ TTL: ttlSeconds }, deadline),
    )
  }

  async leaseRevoke(lease: LeaseId): Promise<void> {
    await this.unary(true, (member, deadline) => member.leaseClient.leaseRevoke({ ID: lease }, deadline))
  }

  leaseTimeToLive(lease: LeaseId): Promise<ILeaseTimeToLiveResponse> {
    return this.unary(true, (member, deadline) => member.leaseClient.leaseTimeToLive({ ID: lease }, deadline))
  }

  /** A raw stream to the current member; it fails when that member does. */
  async openWatch(): Promise<WatchStream> {
    return (await this.member.watchClient.watch()) as unknown as WatchStream
  }

  async openKeepAlive(): Promise<KeepAliveStream> {
    return (await this.member.leaseClient.leaseKeepAlive()) as unknown as KeepAliveStream
  }

  /** Turns to the next member, because the current one failed a stream. */
  moveOn(): void {
    this.current = (this.current + 1) % this.members.length
  }

  /** An error of a raw stream in the words of this link. */
  translate(thrown: unknown, facts: Partial<LinkFacts> = {}): Error {
    return translate(thrown, { ...this.options, tries: 1, elapsedMs: 0, ...facts })
  }

  /** Cancel streams and revoke leases first: what is still open keeps the process alive. */
  close(): void {
    for (const member of this.members) member.close()
  }

  private get member(): Etcd3 {
    const member = this.members[this.current]
    if (!member) throw new Error('an etcd client needs at least one endpoint')
    return member
  }

  private async unary<T>(
    repeatable: boolean,
    send: (member: Etcd3, options: { deadline: number }) => Promise<T>,
  ): Promise<T> {
    const start = Date.now()
    const end = start + this.options.commandTimeoutMs
    let tries = 0
    const mayRetry = (error: Error) =>
      isTransient(error) && (repeatable || wasNeverSent(error)) && Date.now() < end - 10
    const policy = retry(handleWhen(mayRetry), {
      maxAttempts: RETRIES * this.members.length,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 500 }),
    })
    try {
      return await policy.execute(async () => {
        tries++
        try {
          return await send(this.member, { deadline: this.tryUntil(end, tries) })
        } catch (error) {
          if (isTransient(error)) this.moveOn()
          throw error
        }
      })
    } catch (error) {
      throw translate(error, { ...this.options, tries, elapsedMs: Date.now() - start })
    }
  }

  /** A mute member may take the whole time only where nobody else can be asked; each round allows more. */
  private tryUntil(end: number, tries: number): number {
    if (this.members.length === 1) return end
    const round = Math.ceil(tries / this.members.length)
    return Math.min(end, Date.now() + this.options.dialTimeoutMs * round)
  }
}
