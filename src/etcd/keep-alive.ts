import { leaseDecimal } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { Backoff, DENIAL_BACKOFF } from '../net/backoff.js'
import type { EtcdClient, KeepAliveStream } from './client.js'
import { settle } from './deadlines.js'
import type { GrantedLease } from './lease.js'

/** Receives events by name, as a Node EventEmitter does. */
export interface EventSink<Events extends Record<keyof Events, readonly unknown[]>> {
  /** Called synchronously, in the order of the events. */
  emit<Name extends keyof Events>(name: Name, ...event: Events[Name]): unknown
}

/** Events of a lease that is kept alive. */
export interface KeepAliveEvents {
  /** Keep-alives are unanswered or denied. Emitted once per outage, and again if etcd then denies them. */
  trouble: [cause: DiscoError]
  /** etcd answers keep-alives again. `leaseHolds`: whether the lease still exists. */
  recovered: [outcome: { readonly leaseHolds: boolean }]
}

export interface KeepAliveOptions {
  readonly events?: EventSink<KeepAliveEvents>
  /** Called when etcd has denied renewals for a whole TTL, so that the lease has ended. Called once per outage. */
  readonly onLapsed?: (cause: DiscoError) => void
}

/** Renewals requested per TTL, whether or not the last one was answered. */
const RENEWALS_PER_TTL = 3

/**
 * Maximum number of unanswered requests on a stream: one more than are unanswered when every answer takes a whole TTL.
 */
const MAX_UNANSWERED = RENEWALS_PER_TTL + 1

interface OpenStream {
  readonly stream: KeepAliveStream
  unanswered: number
}

/**
 * Keeps a lease alive until the signal aborts, through any outage: it renews the same lease, at every member in turn,
 * until etcd answers that the lease does not exist. A lease may survive an outage longer than its TTL, because a
 * restarted etcd gives its leases their whole TTL again.
 *
 * @returns 'lost' if etcd answers that the lease does not exist, 'stopped' if the signal aborted. Never rejects.
 */
export function keepAlive(
  client: EtcdClient,
  lease: GrantedLease,
  options: KeepAliveOptions,
  signal: AbortSignal,
): Promise<'lost' | 'stopped'> {
  return new KeepAlive(client, lease, options, signal).run()
}

/**
 * Renews one lease. It acts on the time since the last renewal, not on single answers: an answer may be as late as the
 * TTL allows. After half a TTL without a renewal it opens a second stream beside the first, through another member, and
 * another one every sixth of a TTL after that; the stream that renews first stays, the others are closed.
 */
class KeepAlive {
  private readonly periodMs: number
  private readonly backoff: Backoff
  private readonly denialBackoff = new Backoff(DENIAL_BACKOFF)
  private readonly open = new Set<OpenStream>()
  private isOpening = false
  private renewals = 0
  private renewedAtMs = performance.now()
  /** Number of failed streams and expired waits for a renewal, since the last renewal. */
  private failures = 0
  private trouble: 'unreachable' | 'denied' | null = null
  /** Fires when a renewal is overdue. */
  private silence: NodeJS.Timeout | undefined
  /** Fires when renewals have been denied for a whole TTL. */
  private lapse: NodeJS.Timeout | undefined
  private isOver = false
  private finish: (end: 'lost' | 'stopped') => void = () => undefined

  constructor(
    private readonly client: EtcdClient,
    private readonly lease: GrantedLease,
    private readonly options: KeepAliveOptions,
    private readonly signal: AbortSignal,
  ) {
    this.periodMs = (lease.ttlSeconds * 1_000) / RENEWALS_PER_TTL
    this.backoff = new Backoff({ maxMs: Math.min(2_000, this.periodMs) })
  }

  async run(): Promise<'lost' | 'stopped'> {
    if (this.signal.aborted) return 'stopped'
    const stop = () => this.finish('stopped')
    this.signal.addEventListener('abort', stop, { once: true })
    const clock = setInterval(() => this.askAll(), this.periodMs)
    try {
      return await new Promise((resolve) => {
        this.finish = resolve
        this.expectRenewal(1.5 * this.periodMs)
        void this.openStream()
      })
    } finally {
      this.isOver = true
      clearInterval(clock)
      clearTimeout(this.silence)
      clearTimeout(this.lapse)
      this.signal.removeEventListener('abort', stop)
      this.closeAllBut(null)
    }
  }

  private askAll(): void {
    for (const one of this.open) this.ask(one)
  }

  private ask(one: OpenStream): void {
    if (one.unanswered >= MAX_UNANSWERED) return
    one.unanswered++
    one.stream.write({ ID: leaseDecimal(this.lease.id) })
  }

  /** Opens a further stream, and reads it to its end. */
  private async openStream(): Promise<void> {
    let one: OpenStream | null = null
    this.isOpening = true
    try {
      const beside = [...this.open].map(({ stream }) => stream)
      one = { stream: await this.client.openKeepAlive(beside), unanswered: 0 }
      this.isOpening = false
      if (this.isOver) {
        one.stream.close()
        return
      }
      this.open.add(one)
      this.ask(one)
      for await (const { TTL } of one.stream) {
        if (this.isOver) return
        one.unanswered = Math.max(0, one.unanswered - 1)
        this.renewed(one, Number(TTL))
      }
      throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the keep-alive')
    } catch (thrown) {
      if (one === null) this.isOpening = false
      if (this.isOver || (one && !this.open.delete(one))) return
      one?.stream.skipMember()
      one?.stream.close()
      await this.failed(this.client.translate(thrown))
    }
  }

  private renewed(one: OpenStream, ttlSeconds: number): void {
    const leaseHolds = ttlSeconds > 0
    clearTimeout(this.lapse)
    if (this.trouble !== null) this.options.events?.emit('recovered', { leaseHolds })
    this.trouble = null
    if (!leaseHolds) {
      this.finish('lost')
      return
    }
    this.renewals++
    this.renewedAtMs = performance.now()
    this.failures = 0
    this.backoff.reset()
    this.denialBackoff.reset()
    this.closeAllBut(one)
    this.expectRenewal(1.5 * this.periodMs)
  }

  /**
   * Replaces a stream that failed, unless another one is open. Waits first if the renewal was denied or every member
   * has failed.
   */
  private async failed(error: DiscoError): Promise<void> {
    this.noteFailure(error)
    const isDenied = error.code === 'ETCD_DENIED'
    if (isDenied) await this.denialBackoff.wait(this.signal)
    else if (this.failures >= this.client.memberCount) await this.backoff.wait(this.signal)
    if (!this.isOver && this.open.size === 0 && !this.isOpening) void this.openStream()
  }

  /**
   * Emits `trouble`: at once for a denial; for other failures only when there are more of them than members, because
   * the next member may answer. Once per outage, except that a denial is also reported after other failures.
   */
  private noteFailure(error: DiscoError): void {
    this.failures++
    const isDenied = error.code === 'ETCD_DENIED'
    const isReported = this.trouble === 'denied' || (this.trouble === 'unreachable' && !isDenied)
    const mayRecover = !isDenied && this.failures <= this.client.memberCount
    if (isReported || mayRecover) return
    this.trouble = isDenied ? 'denied' : 'unreachable'
    const { events, onLapsed } = this.options
    events?.emit('trouble', error)
    if (isDenied && onLapsed) this.lapse = setTimeout(onLapsed, this.lease.ttlSeconds * 1_000, error)
  }

  private expectRenewal(withinMs: number): void {
    clearTimeout(this.silence)
    this.silence = setTimeout((before: number) => void this.silent(before), withinMs, this.renewals)
  }

  private async silent(renewalsBefore: number): Promise<void> {
    await settle()
    if (this.isOver || this.renewals > renewalsBefore) return
    this.expectRenewal(this.periodMs / 2)
    // `failed` reopens streams that fail, with a backoff.
    if (this.open.size === 0) return
    const asked = [...this.open].map(({ stream }) => stream.url.replace(/^https?:\/\//, ''))
    const seconds = ((performance.now() - this.renewedAtMs) / 1_000).toFixed(1)
    const message = `No keep-alive was answered for ${seconds}s by ${[...new Set(asked)].join(', ')}`
    this.noteFailure(new DiscoError('ETCD_UNREACHABLE', message))
    if (this.open.size > this.client.memberCount) this.closeOldest()
    void this.openStream()
  }

  private closeOldest(): void {
    const [oldest] = this.open
    if (!oldest) return
    this.open.delete(oldest)
    oldest.stream.close()
  }

  private closeAllBut(kept: OpenStream | null): void {
    for (const one of this.open) {
      if (one === kept) continue
      this.open.delete(one)
      if (!this.isOver) one.stream.skipMember()
      one.stream.close()
    }
  }
}
