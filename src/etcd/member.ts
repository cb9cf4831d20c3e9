import { noop } from 'cockatiel'
import { KVClient, LeaseClient, WatchClient } from 'etcd3'
import { ConnectionPool } from 'etcd3/lib/connection-pool.js'
import type { CallOptionsFactory, IOptions } from 'etcd3/lib/options.js'
import type { CallContext } from 'etcd3/lib/rpc.js'
import type { EtcdOptions, TlsFiles } from './options.js'

/** etcd answers pings under 5 s with GOAWAY. */
const KEEPALIVE_PERIOD_MS = 10_000
const KEEPALIVE_DEADLINE_MS = 3_000

/** One member of a cluster: etcd's typed clients, over channels that go nowhere else. */
export class Member {
  readonly kv: KVClient
  readonly lease: LeaseClient
  readonly watch: WatchClient
  /** Until when the request under way may wait for a login; etcd takes its time to check a password. */
  patientUntilMs = 0
  private readonly pool: ConnectionPool

  constructor(
    readonly url: string,
    options: EtcdOptions,
    tls: TlsFiles | null,
  ) {
    this.pool = new ConnectionPool({
      hosts: url,
      grpcOptions: {
        'grpc.max_receive_message_length': -1,
        'grpc.keepalive_time_ms': KEEPALIVE_PERIOD_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_DEADLINE_MS,
        'grpc.enable_http_proxy': 0,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2_000,
      },
      defaultCallOptions: requireLeader,
      ...(tls ? { credentials: tls } : {}),
      ...(options.user ? { auth: this.loginOf(options.user, options) } : {}),
      // Its circuit breaker hides the cause of a failure; retries are ours, member by member.
      faultHandling: { host: () => noop, global: noop },
    })
    closeChannelsAtOnce(this.pool)
    this.kv = new KVClient(this.pool)
    this.lease = new LeaseClient(this.pool)
    this.watch = new WatchClient(this.pool)
  }

  close(): void {
    this.pool.close()
  }

  /** A login at a mute member would hang, and whatever waits for its token with it. */
  private loginOf(username: string, { password = '', dialTimeoutMs }: EtcdOptions): Login {
    const deadline = () => Math.max(this.patientUntilMs, Date.now() + dialTimeoutMs)
    return { username, password, callOptions: () => ({ deadline: deadline() }) }
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

/** What of etcd3's inside (pinned: 1.1.2) is relied on here. */
interface Inside {
  readonly hosts: readonly {
    cachedServices: Record<string, { close(): void } | undefined>
    resetAllServices(): void
  }[]
}

/**
 * After an error etcd3 replaces a member's channels, and keeps one that is still connecting for another
 * second: a timer that a process would have to wait for, and that grpc-js no longer needs.
 */
function closeChannelsAtOnce(pool: ConnectionPool): void {
  for (const host of (pool as unknown as Inside).hosts) {
    host.resetAllServices = () => {
      for (const service of Object.values(host.cachedServices)) service?.close()
      host.cachedServices = {}
    }
  }
}
