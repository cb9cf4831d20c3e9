import type { Discovery, Query, Update } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import type { Origin, Origins } from '../../domain/origins.js'
import { Backoff, WATCH_BACKOFF } from '../../net/backoff.js'
import { LiveList, type ResolvedList } from './live-list.js'

/**
 * How long the first empty list waits for its explanation; after that, calls fail without one. A nearby etcd answers in
 * milliseconds.
 */
const EXPLANATION_MS = 1_000

/** Receives the events of a service's watch. Methods must not throw. */
export interface ServiceListener {
  /** An update of the registry, as soon as it is received. */
  readonly heard?: ((update: Update) => void) | undefined
  /**
   * The current list: at each delivery of `LiveList`, when the explanation of an empty list is known, and to a listener
   * that joins later.
   */
  resolved(now: ResolvedList): void
  /** No list has been received and the registry is unreachable, or the watch failed and will start again. */
  failed(cause: DiscoError): void
}

/** The watches of one discovery, by query: all channels to a service share one watch and one list. */
export class ServiceWatches {
  private static readonly ofDiscovery = new WeakMap<Discovery, ServiceWatches>()
  private readonly watches = new Map<string, ServiceWatch>()

  /** @param random jitters the waits before a failed watch starts again */
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
   * Adds a listener. It is not called before this returns. The first one starts the watch; a later one first gets the
   * current list.
   *
   * @returns removes the listener; the last one that leaves ends the watch
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
 * One watch of a service, and the resulting list. It runs until its last listener leaves. If the registry's watch
 * throws, it starts again after a second, doubling to 30 s, and the last list stays. When a listener joins during that
 * wait, the watch starts as soon as a second has passed since the failure.
 */
class ServiceWatch {
  private readonly list: LiveList
  /** All listeners that have joined. */
  private readonly members = new Set<ServiceListener>()
  /**
   * Members that receive updates: the first from its joining on, a later one from the microtask in which it is given
   * the current list.
   */
  private readonly listeners = new Set<ServiceListener>()
  private running: AbortController | null = null
  private retryTimer: NodeJS.Timeout | undefined
  private failedAtMs = 0
  private readonly backoff: Backoff
  /** Whether listeners have received a list. */
  private hasDelivered = false
  /** Explanation of a list without dialable endpoints, or its promise; null for any other list. */
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
    return this.members.size === 0
  }

  join(listener: ServiceListener): void {
    const isFirst = this.isUnused
    this.members.add(listener)
    if (isFirst) {
      this.listeners.add(listener)
      this.start()
      return
    }
    if (this.retryTimer)
      this.retryIn(Math.max(0, this.failedAtMs + WATCH_BACKOFF.firstMs - performance.now()))
    queueMicrotask(() => {
      if (!this.members.has(listener)) return
      this.listeners.add(listener)
      this.catchUp(listener)
    })
  }

  leave(listener: ServiceListener): void {
    this.members.delete(listener)
    this.listeners.delete(listener)
    if (!this.isUnused) return
    this.running?.abort()
    clearTimeout(this.retryTimer)
    clearTimeout(this.explanationTimer)
    this.list.close()
  }

  private catchUp(listener: ServiceListener): void {
    const { now, asUpdates, isEmpty } = this.list
    call(listener, (one) => {
      for (const update of asUpdates) one.heard?.(update)
    })
    if (isEmpty && now.stale) {
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
    // A watch that fails at once must not call a listener that is still joining.
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
      // The timer is set before the listeners are called: if the last one leaves in that call, it clears the timer.
      this.retryIn(this.backoff.next())
      this.list.take({ type: 'stale', sinceMs: Date.now(), cause })
      this.fail(cause)
    }
  }

  private take(update: Update): void {
    // A list from the cache does not reset the backoff: every failing attempt may begin with one.
    const isFromEtcd = update.type === 'reset' ? update.source === 'etcd' : update.type !== 'stale'
    if (isFromEtcd) this.backoff.reset()
    for (const listener of this.listeners) call(listener, (one) => one.heard?.(update))
    const failure = update.type === 'stale' && this.list.isEmpty ? this.list.outageWith(update) : null
    if (failure) this.fail(failure)
    this.list.take(update)
  }

  private deliver(now: ResolvedList): void {
    const isEmpty = now.registered.every(({ problem }) => problem !== null)
    const isConfirmedEmpty = isEmpty && this.list.isConfirmed
    if (!isConfirmedEmpty) this.lookedIn = null
    else if (this.lookedIn === null && this.discovery.explainEmpty) {
      void this.explain(this.discovery.explainEmpty(this.query))
      // The first list waits for its explanation, so that calls that fail at once have it.
      if (!this.hasDelivered) return
    } else if (!this.hasDelivered && this.lookedIn instanceof Promise) return
    const isFirst = !this.hasDelivered && !this.list.isEmpty
    this.hasDelivered ||= isFirst
    const delivered = { ...now, ...this.explanation, isNew: now.isNew || isFirst }
    for (const listener of this.listeners) call(listener, (one) => one.resolved(delivered))
  }

  private async explain(asked: Promise<string>): Promise<void> {
    this.lookedIn = asked
    if (!this.hasDelivered)
      this.explanationTimer = setTimeout(() => this.deliverUnexplained(), EXPLANATION_MS)
    // The list is valid without its explanation; the watch itself reports why etcd did not answer.
    const lookedIn = await asked.catch(() => '')
    if (this.lookedIn !== asked || this.isUnused) return
    clearTimeout(this.explanationTimer)
    this.lookedIn = lookedIn
    this.deliver(this.list.now)
  }

  /** Delivers the list without its explanation, which may follow with another delivery. */
  private deliverUnexplained(): void {
    if (this.hasDelivered || this.list.isEmpty) return
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

/** An error thrown by one channel must not affect the watch and other channels: it becomes an uncaught exception. */
function call(listener: ServiceListener, method: (listener: ServiceListener) => void): void {
  try {
    method(listener)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
