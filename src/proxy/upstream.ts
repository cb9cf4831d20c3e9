import type { MemberReports } from '../grpc/balancer/member.js'
import type { ConnectedMember } from '../grpc/balancer/membership.js'
import type { OutstandingCalls } from '../grpc/balancer/outstanding.js'
import { MAX_SHORT, MIN_USEFUL_MS } from '../grpc/balancer/reconnects.js'
import { type Health, HealthWatch } from '../grpc/health/watch.js'
import { namesOf, type RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
import { Backoff } from '../net/backoff.js'
import { Connection } from './connection.js'
import type { Dialer } from './dial.js'
import { streamsOver } from './health-stream.js'
import { Pool, type Waiting } from './pool.js'

/** Delay between a failed attempt and the next one. It doubles up to the maximum. */
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 30_000

export interface UpstreamSettings {
  readonly dialer: Dialer
  /** The authority of calls that the proxy itself makes. */
  readonly authority: string
  /** The gRPC service whose health is watched; empty for the whole server; null to watch no health. */
  readonly healthService: string | null
  readonly random: () => number
}

/**
 * One endpoint and its connections, from its registration to its removal. A new weight replaces only `endpoint`. A drained
 * endpoint stays connected.
 */
export class Upstream implements ConnectedMember {
  isReady = false
  isFailing = false
  problem: string | null = null
  rank = 0
  private readonly pool: Pool
  private readonly backoff: Backoff
  private retryTimer: NodeJS.Timeout | null = null
  /** Number of consecutive connections that ended soon after they were started, since the server last answered a call. */
  private short = 0
  /** The connection over which the server's health is watched. */
  private watched: Connection | null = null
  private healthWatch: HealthWatch | null = null
  private isClosed = false

  constructor(
    public endpoint: RegisteredEndpoint,
    readonly outstanding: OutstandingCalls,
    private readonly settings: UpstreamSettings,
    private readonly reports: MemberReports<Upstream>,
  ) {
    const { random } = settings
    this.backoff = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, jitter: 'longer', random })
    this.pool = new Pool({
      connect: (attempt, events) => new Connection(settings.dialer.dial(this.address(attempt)), events),
      ready: (connection) => this.connected(connection),
      ended: (connection, reason) => this.disconnected(connection, reason),
    })
  }

  get names(): readonly string[] {
    return namesOf(this.endpoint)
  }

  get scheme(): 'http' | 'https' {
    return this.settings.dialer.scheme
  }

  connect(): void {
    this.pool.connect()
  }

  /** Gives the call a connection at once, or as soon as one has a free stream. */
  admit(call: Waiting): void {
    this.pool.admit(call)
  }

  /** Ends the wait of a call for a connection. */
  dismiss(call: Waiting): void {
    this.pool.withdraw(call)
  }

  /** Call when the server has begun to reply to a call. */
  answered(): void {
    this.short = 0
    this.backoff.reset()
  }

  /** Accepts no more calls. Outstanding calls continue to their end. */
  close(): void {
    this.isClosed = true
    if (this.retryTimer) clearTimeout(this.retryTimer)
    this.healthWatch?.stop()
    this.pool.close()
  }

  /** The address for an attempt: attempts take the addresses of the endpoint in turn. */
  private address(attempt: number): RegisteredEndpoint['addresses'][number] {
    const { addresses } = this.endpoint
    const address = addresses[attempt % addresses.length]
    if (!address) throw new Error(`${this.endpoint.id} has no address`)
    return address
  }

  private connected(connection: Connection): void {
    if (this.isClosed || this.watched) return
    const { healthService } = this.settings
    this.watched = connection
    if (healthService === null) {
      this.report('ready', null)
      return
    }
    this.report('connecting', 'its health is not known yet')
    const open = streamsOver(connection, { scheme: this.scheme, authority: this.settings.authority })
    this.healthWatch = new HealthWatch(open, healthService, (health) => this.judge(health))
  }

  private disconnected(connection: Connection, reason: string): void {
    if (this.isClosed) return
    this.countShort(connection)
    if (connection.isReady) this.reports.onDropped(this, reason)
    const isWatched = connection === this.watched
    if (isWatched) {
      this.healthWatch?.stop()
      this.healthWatch = null
      this.watched = null
    }
    const other = this.pool.ready
    if (other) {
      if (isWatched) this.connected(other)
      return
    }
    if (connection.isReady) this.report('connecting', reason)
    else this.report('failing', reason)
    if (!connection.isReady) {
      this.settings.dialer.refused?.()
      this.reports.onFailed(this, reason)
    }
    if (connection.isReady && this.short <= MAX_SHORT) this.connect()
    else this.retryLater()
  }

  /** A server that accepts connections and closes each must not be dialled without a pause. */
  private countShort(connection: Connection): void {
    if (!connection.isReady) return
    if (performance.now() - connection.startedMs < MIN_USEFUL_MS) this.short++
    else this.answered()
  }

  private retryLater(): void {
    if (this.retryTimer) return
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null
      this.connect()
    }, this.backoff.next())
  }

  private judge({ isServing, problem }: Health): void {
    this.report(isServing ? 'ready' : 'failing', problem)
    if (!isServing) this.reports.onFailed(this, problem ?? '')
  }

  private report(state: 'ready' | 'connecting' | 'failing', problem: string | null): void {
    this.isReady = state === 'ready'
    this.isFailing = state === 'failing'
    this.problem = problem
    this.reports.onState(this)
  }
}
