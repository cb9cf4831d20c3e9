import { randomBytes } from 'node:crypto'
import { hostPort } from '../../domain/address.js'
import { Leases } from './leases.js'
import { clusterMethods } from './services/cluster.js'
import type { Context } from './services/context.js'
import { kvMethods } from './services/kv.js'
import { keepAliveMethod, leaseMethods } from './services/lease.js'
import { announcements, watchMethod } from './services/watch.js'
import { Store } from './store.js'
import { startGrpcServer } from './transport/grpc-server.js'
import { WatchHub } from './watch/hub.js'
import { Headers } from './wire/responses.js'

export interface DevRegistryOptions {
  /** The address to listen at. Loopback by default. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** A monotonic clock for leases, in milliseconds. */
  readonly now?: () => number
  /** The minimum TTL of leases. */
  readonly minLeaseTtlSeconds?: number
  /** The interval of progress notifications for a quiet watcher that asked for them. */
  readonly watchProgressPeriodMs?: number
}

export interface DevRegistry {
  /** `host:port`, for clients. */
  readonly endpoint: string
  readonly port: number
  /** Ends all connections and discards all data. */
  close(): Promise<void>
}

/** The minimum TTL of an etcd with default settings: one and a half election timeouts, rounded up. */
const MIN_LEASE_TTL_SECONDS = 2

/** etcd's default for --experimental-watch-progress-notify-interval. */
const WATCH_PROGRESS_PERIOD_MS = 10 * 60_000

/** The term of a single-member cluster that has just elected itself. */
const RAFT_TERM = 2

/**
 * Starts an in-memory registry that speaks etcd's v3 gRPC API as etcd 3.5 does. It keeps nothing on disk and has no
 * authentication: for development, tests and demonstrations.
 *
 * @throws the system's own error when it cannot listen, with its `code` (EADDRINUSE, EACCES, …)
 */
export async function startDevRegistry(options: DevRegistryOptions): Promise<DevRegistry> {
  const { host, port, now = () => performance.now() } = options
  const minTtlSeconds = options.minLeaseTtlSeconds ?? MIN_LEASE_TTL_SECONDS
  const progressPeriodMs = options.watchProgressPeriodMs ?? WATCH_PROGRESS_PERIOD_MS
  const store = new Store()
  const leases = new Leases(store, { now, minTtlSeconds, nextId: randomId })
  // A new cluster id at each start shows clients that the revisions they remember belong to another cluster.
  const headers = new Headers(randomId(), randomId(), RAFT_TERM)
  const hub = new WatchHub(store, announcements(store, headers), progressPeriodMs)
  const context: Context = { store, leases, headers }

  let endpoint = ''
  const server = await startGrpcServer(host, port, {
    unary: {
      ...kvMethods(context),
      ...leaseMethods(context),
      ...clusterMethods(context, () => `http://${endpoint}`),
    },
    streams: {
      '/etcdserverpb.Watch/Watch': watchMethod(store, hub, headers),
      '/etcdserverpb.Lease/LeaseKeepAlive': keepAliveMethod(context),
    },
  })
  endpoint = hostPort({ host, port: server.port })
  const close = async (): Promise<void> => {
    leases.stop()
    hub.stop()
    await server.close()
  }
  return { endpoint, port: server.port, close }
}

/** A random id: positive as an int64, and not 0, because 0 means "no id" in etcd's API. */
function randomId(): bigint {
  return (randomBytes(8).readBigUInt64BE() >> 1n) | 1n
}
