import { noop } from 'cockatiel'
import type { CallOptionsFactory, IOptions } from 'etcd3/lib/options.js'
import type { CallContext } from 'etcd3/lib/rpc.js'
import { speaksPlaintext, speaksTls } from '../net/probe.js'
import type { Credentials } from './credentials.js'
import { ConnectionPool, castGrpcError, KVClient, LeaseClient, WatchClient } from './etcd3.js'
import type { EtcdOptions } from './options.js'
import type { RoundTrip } from './round-trip.js'

/** etcd answers pings under 5 s with GOAWAY. */
const KEEPALIVE_PERIOD_MS = 10_000
const KEEPALIVE_DEADLINE_MS = 3_000

/** grpc-js makes each wait 1.6 times as long, jittered by a fifth. */
const FIRST_RECONNECT_MS = 200
const MOST_RECONNECT_MS = 1_000

/** What all members of a client share. */
export interface MemberSettings {
  readonly options: EtcdOptions
  readonly credentials: Credentials
  readonly roundTrip: RoundTrip
}

/** One member of a cluster: etcd's typed clients, over channels that go nowhere else. */
export class Member {
  readonly kv: KVClient
  readonly lease: LeaseClient
  readonly watch: WatchClient
  /** Whether it has ever answered: then it speaks etcd's protocol, whatever happens to later connections. */
  hasAnswered = false
  /** Until when, by `performance.now()`, the request under way may wait for a login: a password takes time to check. */
  patientUntilMs = 0
  private readonly pool: Inside
  private spoken: Promise<'tls' | 'plaintext' | null> | null = null

  /** @param isApart whether its connection is shared with no other client of this address */
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
        'grpc.max_reconnect_backoff_ms': MOST_RECONNECT_MS,
        'grpc.use_local_subchannel_pool': isApart ? 1 : 0,
      },
      defaultCallOptions: requireLeader,
      ...(tls ? { credentials: tls } : {}),
      ...(options.user ? { auth: this.loginOf(options.user) } : {}),
      // Its circuit breaker hides the cause of a failure; retries are ours, member by member.
      faultHandling: { host: () => noop, global: noop },
    })
    this.pool = pool as unknown as Inside
    for (const host of this.pool.hosts) host.resetAllServices = () => undefined
    this.pool.authenticator.getCredentialsFromHost = (_address, name, password, callOptions) =>
      this.logIn({ name, password }, callOptions)
    this.kv = new KVClient(pool)
    this.lease = new LeaseClient(pool)
    this.watch = new WatchClient(pool)
  }

  /** The next request logs in anew: etcd has refused the token. */
  forgetLogin(): void {
    this.pool.authenticator.invalidateMetadata()
  }

  /** What it speaks where it drops connections, if that is not what its URL says. Asked once: that is a connection too. */
  speaks(): Promise<'tls' | 'plaintext' | null> {
    this.spoken ??= this.url.startsWith('http://')
      ? speaksTls(this.url).then((isTls) => (isTls ? 'tls' : null))
      : speaksPlaintext(this.url).then((isPlaintext) => (isPlaintext ? 'plaintext' : null))
    return this.spoken
  }

  /** Gives up connections that are mute; the next request makes new ones. */
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

  /** etcd3 makes a client for each login and closes none; this one is closed with the member's others. */
  private logIn(user: { name: string; password: string }, callOptions: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const [host] = this.pool.hosts
      host.getServiceClient('Auth').authenticate(user, callOptions, (error, answer) => {
        if (error) reject(castGrpcError(error))
        else resolve(answer?.token ?? '')
      })
    })
  }

  /** A login at a mute member would hang, and every request that waits for its token with it. */
  private loginOf(username: string): Login {
    const { options, credentials, roundTrip } = this.settings
    const limitMs = () =>
      Math.max(this.patientUntilMs - performance.now(), roundTrip.allow(options.dialTimeoutMs))
    const { password } = credentials
    return { username, password, callOptions: () => ({ deadline: Date.now() + limitMs() }) }
  }
}

type Login = NonNullable<IOptions['auth']>

/**
 * A member that has lost its cluster still accepts streams, and would keep them silent for ever: with this
 * header (etcd's clientv3.WithRequireLeader) it ends them instead.
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
    // The call itself, as grpc-js hands it out when there is nothing to intercept.
    return call as ReturnType<Interceptor>
  }
  return isStream ? { interceptors: [withLeader] } : {}
}

type CallOptions = Exclude<CallOptionsFactory, (context: CallContext) => unknown>
type Interceptor = NonNullable<CallOptions['interceptors']>[number]

/**
 * The parts of etcd3's inside (pinned: 1.1.2) that are relied on here. After any error etcd3 replaces a
 * member's channels, which ends the streams beside and begins connections again that were about to stand;
 * a channel of grpc-js reconnects by itself, with a backoff. So `resetAllServices` does nothing here.
 */
interface Inside {
  readonly hosts: readonly [Host, ...Host[]]
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
}
