import type { Discovery, Query, Update } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import type { Origin, Origins } from '../../domain/origins.js'
import { Backoff, WATCH_BACKOFF } from '../../net/backoff.js'
import { LiveList, type ResolvedList } from './live-list.js'

/**
 * How long an empty first list waits for its explanation. After that, calls fail without an explanation. An etcd in the
 * same data centre answers in milliseconds.
 */
const EXPLANATION_MS = 1_000

/** Receives the events of a service's watch. Methods must not throw. */
export interface ServiceListener {
  /** An update of the registry, as soon as it is received. */
  readonly heard?: ((update: Update) => void) | undefined
  /**
   * The current list. Called at each delivery of `LiveList`, when the explanation of an empty list is available, and
   * for a listener that joins a running watch.
   */
  resolved(now: ResolvedList): void
  /** The registry is unreachable and no list has been received, or the watch has failed and will be restarted. */
  failed(cause: DiscoError): void
}

/** The watches of one discovery, by query: all channels to a service share one watch and one list. */
export class ServiceWatches {
  private static readonly ofDiscovery = new WeakMap<Discovery, ServiceWatches>()
  private readonly watches = new Map<string, ServiceWatch>()

  /** @param random jitters the backoff before a failed watch is restarted */
  constructor(
    private readonly discovery: Discovery,
    private readonly random: () => number = Math.random,
  ) {}

  static of(discovery: Discovery): ServiceWatches {
    const known = ServiceWatches.ofDiscovery.get(discovery)
    if (known) return known
    const watches = new ServiceWatches(discovery)
    ServiceWatches.ofDiscovery.set(discovery, watches)
    return watches
  }

  /**
   * Adds a listener. The first listener starts the watch. A later listener receives the current list. No listener is
   * called before `join` has returned.
   *
   * @returns a function that removes the listener. The watch ends when its last listener is removed.
   */
  join(query: Query, listener: ServiceListener): () => void {
    const { service, layout = null, root = null, from = null } = query
    const key = JSON.stringify([service, layout, root, from])
    const watch = this.watches.get(key) ?? new ServiceWatch(this.discovery, query, this.random)
    this.watches.set(key, watch)
    watch.join(listener)
    return () => {
      watch.leave(listener)
      if (watch.isUnused && this.watches.get(key) === watch) this.watches.delete(key)
    }
  }
}

/**
 * One watch of a service, and the resulting list. It runs until its last listener leaves. If the discovery's watch
 * throws, it is restarted after a backoff from 1 s to 30 s, and the last list stays in use. When a listener joins
 * during the backoff, the watch is restarted as soon as 1 s has passed since the failure.
 */
class ServiceWatch {
  private readonly list: LiveList
  /** All listeners that have joined. */
  private readonly joined = new Set<ServiceListener>()
  /**
   * The joined listeners that receive updates. The first listener receives updates at once. A later listener receives
   * updates after it has received the current list, a microtask after it has joined.
   */
  private readonly listeners = new Set<ServiceListener>()
  private running: AbortController | null = null
  private retryTimer: NodeJS.Timeout | undefined
  /** Time of the last failure, on the clock of `performance.now()`. */
  private failedAtMs = 0
  private readonly backoff: Backoff
  /** Whether listeners have received a list. */
  private hasDelivered = false
  /** The explanation of a list without dialable endpoints, or the promise of it; null for any other list. */
  private lookedIn: Promise<string> | string | null = null
  private explanationTimer: NodeJS.Timeout | undefined

  constructor(
    private readonly discovery: Discovery,
    private readonly query: Query,
    random: () => number,
  ) {
    this.backoff = new Backoff({ ...WATCH_BACKOFF, random })
    const origins = discovery.originsOf?.(query.from) ?? []
    // Updates of a single registry do not name it.
    this.list = new LiveList((now) => this.deliver(now), isSeveral(origins) ? origins : null)
  }

  get isUnused(): boolean {
    return this.joined.size === 0
  }

  join(listener: ServiceListener): void {
    const isFirst = this.isUnused
    this.joined.add(listener)
    if (isFirst) {
      this.listeners.add(listener)
      this.start()
      return
    }
    if (this.retryTimer)
      this.retryIn(Math.max(0, this.failedAtMs + WATCH_BACKOFF.firstMs - performance.now()))
    queueMicrotask(() => {
      if (!this.joined.has(listener)) return
      this.listeners.add(listener)
      this.catchUp(listener)
    })
  }

  leave(listener: ServiceListener): void {
    this.joined.delete(listener)
    this.listeners.delete(listener)
    if (!this.isUnused) return
    this.running?.abort()
    clearTimeout(this.retryTimer)
    clearTimeout(this.explanationTimer)
    this.list.close()
  }

  /** Passes the current state to a listener that has joined a running watch. */
  private catchUp(listener: ServiceListener): void {
    const { now, asUpdates, hasNoList } = this.list
    call(listener, (one) => {
      for (const update of asUpdates) one.heard?.(update)
    })
    if (hasNoList && now.stale) {
      const { stale } = now
      call(listener, (one) => one.failed(stale))
    }
    const explained = { ...now, ...this.explanation }
    if (this.hasDelivered || now.stale) call(listener, (one) => one.resolved(explained))
  }

  private retryIn(ms: number): void {
    clearTimeout(this.retryTimer)
    this.retryTimer = setTimeout(() => this.start(), ms).unref()
  }

  private start(): void {
    this.retryTimer = undefined
    this.running = new AbortController()
    void this.follow(this.running.signal)
  }

  private async follow(signal: AbortSignal): Promise<void> {
    // A watch that fails at once must not call a listener before `join` has returned.
    await null
    try {
      for await (const update of this.discovery.watch(this.query, signal)) {
        if (signal.aborted) return
        this.take(update)
      }
    } catch (thrown) {
      if (signal.aborted) return
      const cause = DiscoError.from(thrown)
      this.failedAtMs = performance.now()
      // The timer must be set before the listeners are called: if the last listener leaves in its call, `leave` clears
      // the timer.
      this.retryIn(this.backoff.next())
      this.list.take({ type: 'stale', sinceMs: Date.now(), cause })
      this.fail(cause)
    }
  }

  private take(update: Update): void {
    // A list from the cache does not reset the backoff, because every watch that fails may have delivered one first.
    const isFromEtcd = update.type === 'reset' ? update.source === 'etcd' : update.type !== 'stale'
    if (isFromEtcd) this.backoff.reset()
    for (const listener of this.listeners) call(listener, (one) => one.heard?.(update))
    const failure = update.type === 'stale' && this.list.hasNoList ? this.list.outageWith(update) : null
    if (failure) this.fail(failure)
    this.list.take(update)
  }

  private deliver(now: ResolvedList): void {
    const isEmpty = now.registered.every(({ problem }) => problem !== null)
    const isConfirmedEmpty = isEmpty && this.list.isConfirmed
    if (!isConfirmedEmpty) this.lookedIn = null
    else if (this.lookedIn === null && this.discovery.explainEmpty) {
      void this.explain(this.discovery.explainEmpty(this.query))
      // The first list waits for its explanation, so that the first failed calls already contain it.
      if (!this.hasDelivered) return
    } else if (!this.hasDelivered && this.lookedIn instanceof Promise) return
    const isFirst = !this.hasDelivered && !this.list.hasNoList
    this.hasDelivered ||= isFirst
    const delivered = { ...now, ...this.explanation, isNew: now.isNew || isFirst }
    for (const listener of this.listeners) call(listener, (one) => one.resolved(delivered))
  }

  private async explain(asked: Promise<string>): Promise<void> {
    this.lookedIn = asked
    if (!this.hasDelivered)
      this.explanationTimer = setTimeout(() => this.deliverUnexplained(), EXPLANATION_MS)
    // The list is valid without an explanation. If etcd does not answer, the watch reports the reason.
    const lookedIn = await asked.catch(() => '')
    if (this.lookedIn !== asked || this.isUnused) return
    clearTimeout(this.explanationTimer)
    this.lookedIn = lookedIn
    this.deliver(this.list.now)
  }

  /** Delivers the list without its explanation. A later delivery may add the explanation. */
  private deliverUnexplained(): void {
    if (this.hasDelivered || this.list.hasNoList) return
    this.hasDelivered = true
    const delivered = { ...this.list.now, isNew: true }
    for (const listener of this.listeners) call(listener, (one) => one.resolved(delivered))
  }

  private get explanation(): { readonly lookedIn?: string } {
    return typeof this.lookedIn === 'string' ? { lookedIn: this.lookedIn } : {}
  }

  private fail(cause: DiscoError): void {
    for (const listener of this.listeners) call(listener, (one) => one.failed(cause))
  }
}

function isSeveral(origins: readonly Origin[]): origins is Origins {
  return origins.length > 1
}

/** Calls a listener. If it throws, the error becomes an uncaught exception: it must not affect the other listeners. */
function call(listener: ServiceListener, method: (listener: ServiceListener) => void): void {
  try {
    method(listener)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
