import { noop } from 'cockatiel'
import type { IRangeRequest, ITxnRequest } from 'etcd3'
import type { CallOptionsFactory, IOptions } from 'etcd3/lib/options.js'
import type { CallContext } from 'etcd3/lib/rpc.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { Credentials } from './credentials.js'
import type { RoundTrip } from './deadlines.js'
import {
  ClusterClient,
  ConnectionPool,
  castGrpcError,
  KVClient,
  LeaseClient,
  MaintenanceClient,
  WatchClient,
} from './etcd3.js'
import type { EtcdOptions } from './options.js'
import type { RangeAnswer } from './range-answer.js'
import { addRangeMethods } from './range-methods.js'

/** etcd closes a connection with GOAWAY if pings come more often than every 5 s. */
const KEEPALIVE_PERIOD_MS = 10_000
const KEEPALIVE_DEADLINE_MS = 3_000

/** grpc-js multiplies each wait by 1.6, with a jitter of 20 %. */
const FIRST_RECONNECT_MS = 200
const MAX_RECONNECT_MS = 1_000

/** Settings shared by all members of a client. */
export interface MemberSettings {
  readonly options: EtcdOptions
  readonly credentials: Credentials
  readonly roundTrip: RoundTrip
}

/** One member of a cluster: etcd's typed clients, over channels to this member only. */
export class Member {
  readonly kv: KVClient
  readonly lease: LeaseClient
  readonly maintenance: MaintenanceClient
  readonly cluster: ClusterClient
  readonly watch: WatchClient
  /** Whether the member has ever answered. It then uses the protocol of its URL, even if later connections fail. */
  hasAnswered = false
  /**
   * The time of `performance.now()` until which the current request may wait for a login. A login is slow because etcd
   * hashes the password.
   */
  loginDeadlineMs = 0
  private readonly pool: Inside
  private spoken: Promise<'tls' | 'plaintext' | null> | null = null

  /** @param isApart whether the member uses a connection of its own, not shared with other clients of this address */
  constructor(
    readonly url: string,
    readonly settings: MemberSettings,
    { isApart = false } = {},
  ) {
    const { options, credentials } = settings
    const { tls } = credentials
    const pool = new ConnectionPool({
      hosts: url,
      grpcOptions: {
        'grpc.max_receive_message_length': -1,
        'grpc.keepalive_time_ms': KEEPALIVE_PERIOD_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_DEADLINE_MS,
        'grpc.enable_http_proxy': 0,
        'grpc.initial_reconnect_backoff_ms': FIRST_RECONNECT_MS,
        'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS,
        'grpc.use_local_subchannel_pool': isApart ? 1 : 0,
      },
      defaultCallOptions: requireLeader,
      ...(tls ? { credentials: tls } : {}),
      ...(options.user ? { auth: this.loginOf(options.user) } : {}),
      // etcd3's circuit breaker hides the cause of a failure; retries are made here, member by member.
      faultHandling: { host: () => noop, global: noop },
    })
    this.pool = pool as unknown as Inside
    for (const host of this.pool.hosts) {
      host.resetAllServices = () => undefined
      addRangeMethods(host)
    }
    this.pool.authenticator.getCredentialsFromHost = (_address, name, password, callOptions) =>
      this.logIn({ name, password }, callOptions)
    this.kv = new KVClient(pool)
    this.lease = new LeaseClient(pool)
    this.maintenance = new MaintenanceClient(pool)
    this.cluster = new ClusterClient(pool)
    this.watch = new WatchClient(pool)
  }

  range(request: IRangeRequest, options: object): Promise<RangeAnswer> {
    return this.pool.exec('KV', 'rangeAsPairs', request, options)
  }

  /** A transaction that only reads ranges. */
  ranges(request: ITxnRequest, options: object): Promise<RangeAnswer[]> {
    return this.pool.exec('KV', 'rangesAsPairs', request, options)
  }

  /** Discards the token that etcd has refused: the next request logs in again. */
  forgetLogin(): void {
    this.pool.authenticator.invalidateMetadata()
  }

  /**
   * The protocol of a member that drops connections; null if it is that of its URL, or unknown. The member is probed
   * only once, since a probe is also a connection.
   */
  speaks(): Promise<'tls' | 'plaintext' | null> {
    this.spoken ??= this.url.startsWith('http://')
      ? speaksTls(this.url).then((isTls) => (isTls ? 'tls' : null))
      : speaksPlaintext(this.url).then((isPlaintext) => (isPlaintext ? 'plaintext' : null))
    return this.spoken
  }

  /** Closes the connections; the next request opens new ones. */
  disconnect(): void {
    for (const host of this.pool.hosts) {
      for (const service of Object.values(host.cachedServices)) service?.close()
      host.cachedServices = {}
    }
  }

  close(): void {
    this.disconnect()
    for (const host of this.pool.hosts) host.close()
  }

  /** Logs in by this member's own channels. etcd3 would create a client for each login and never close it. */
  private logIn(user: { name: string; password: string }, callOptions: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const [host] = this.pool.hosts
      host.getServiceClient('Auth').authenticate(user, callOptions, (error, answer) => {
        if (error) reject(castGrpcError(error))
        else resolve(answer?.token ?? '')
      })
    })
  }

  /**
   * The credentials of the login, and its deadline: without one, a login at an unresponsive member would hang, and all
   * requests that wait for its token.
   */
  private loginOf(username: string): Login {
    const { options, credentials, roundTrip } = this.settings
    const limitMs = () =>
      Math.max(this.loginDeadlineMs - performance.now(), roundTrip.allow(options.dialTimeoutMs))
    const { password } = credentials
    return { username, password, callOptions: () => ({ deadline: Date.now() + limitMs() }) }
  }
}

type Login = NonNullable<IOptions['auth']>

/**
 * A member that has lost its cluster accepts streams and then stays silent: with this header (etcd's
 * clientv3.WithRequireLeader) it ends them instead.
 */
const requireLeader = ({ isStream }: CallContext): CallOptions => {
  const withLeader: Interceptor = (options, nextCall) => {
    const call = nextCall(options)
    const start = call.start.bind(call)
    call.start = (metadata, listener) => {
      const own = metadata.clone()
      own.set('hasleader', 'true')
      start(own, listener)
    }
    // Without an interceptor, grpc-js returns the call itself.
    return call as ReturnType<Interceptor>
  }
  return isStream ? { interceptors: [withLeader] } : {}
}

type CallOptions = Exclude<CallOptionsFactory, (context: CallContext) => unknown>
type Interceptor = NonNullable<CallOptions['interceptors']>[number]

/**
 * The internals of etcd3 (pinned: 1.1.2) that this file relies on. After any error etcd3 replaces a member's
 * channels, which ends other streams and restarts connections in progress; a channel of grpc-js reconnects by itself,
 * with a backoff. So `resetAllServices` does nothing here.
 */
interface Inside {
  readonly hosts: readonly [Host, ...Host[]]
  exec<Answer>(service: 'KV', method: string, request: object, options: object): Promise<Answer>
  readonly authenticator: {
    invalidateMetadata(): void
    getCredentialsFromHost(
      address: string,
      name: string,
      password: string,
      callOptions: object,
    ): Promise<string>
  }
}

interface Host {
  cachedServices: Record<string, { close(): void } | undefined>
  resetAllServices(): void
  close(): void
  getServiceClient(name: 'Auth'): {
    authenticate(
      user: { name: string; password: string },
      callOptions: object,
      done: (error: Error | null, answer?: { token: string }) => void,
    ): void
  }
  getServiceClient(name: string): object
}
