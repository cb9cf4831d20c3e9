import { setTimeout as delay } from 'node:timers/promises'
import type { EndpointRecord, LeaseId } from '../../domain/endpoint.js'
import { DiscoError, isLinkFailure } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import type { EtcdClient } from '../../etcd/client.js'
import { keepAlive } from '../../etcd/keep-alive.js'
import { Backoff, type BackoffLimits, DENIAL_BACKOFF } from '../../net/backoff.js'
import { type AcquiredKeys, acquire, checkWritable, type RegistrationRequest, recordsOf } from './acquire.js'
import { type EventSink, OrderedEvents, type RegistrationEvents } from './events.js'
import type { HeldKey, HeldLease } from './held-key.js'
import { keyEvents } from './key-events.js'

/** How a registration ended: closed by its owner, or all of its keys deleted on purpose while the lease lived. */
export type Ended = 'deregistered' | 'closed'

/** How long the lease outlives a deregistered key, so that watchers can see that the key did not expire. */
const REVOKE_AFTER_MS = 250

/**
 * First wait before a failed reconciliation is repeated, and before `keepLease` keeps the same lease alive again.
 * Jittered; doubles to 2 s.
 */
const FIRST_RETRY_MS = 500

/** Waits of 0.75 to 1.5 s between attempts to acquire a registration while etcd does not answer. */
const ACQUIRE_BACKOFF: BackoffLimits = { firstMs: 1_500, maxMs: 1_500 }

/**
 * Endpoints held in etcd: keys under one lease. If the lease is lost, the registration puts the keys under a new lease,
 * each with its last valid value. While it holds them, it never takes a key from another registrar: `takeover` concerns
 * only the start. With `onDelete: 'reregister'`, it also puts back a key that was deleted on purpose.
 *
 * @example
 * ```ts
 * import { Registry } from 'disco-registry'
 *
 * const registry = await Registry.open()
 * const registered = { service: 'hello', addr: '1.2.3.4:1001', version: '', weight: 1, metadata: {} }
 * const registration = await registry.register({ registered, ttlSeconds: 10 })
 * console.log(registration.key)
 * await registration.close()
 * registry.close()
 * ```
 */
export class Registration implements AsyncDisposable {
  /**
   * Settles when the registration is closed, when it holds no more keys, or at an error that a retry cannot fix. If another
   * registrar took over any of the keys, it rejects with CONFLICT, however the registration ended. If not, and an error
   * ended the registration, it rejects with that error. Otherwise it resolves. Stays pending if `close` or `abandon`
   * rejects.
   */
  readonly ended: Promise<Ended>

  private readonly stop = new AbortController()
  private readonly lease: HeldLease
  private readonly all: readonly HeldKey[]
  /**
   * Keys that are still held, each with the controller that ends its current watch. A watch ends when its key is dropped.
   * All watches end when a new lease renames a key: in some layouts the key contains the lease.
   */
  private readonly watches: Map<HeldKey, AbortController>
  private reconciling: Promise<void> = Promise.resolve()
  private conflict: DiscoError | null = null
  private finish: (end: Ended | DiscoError) => void = () => undefined

  private constructor(
    private readonly client: EtcdClient,
    { lease, keys }: AcquiredKeys,
    private readonly events: EventSink<RegistrationEvents>,
  ) {
    this.lease = lease
    this.all = keys
    this.watches = new Map(keys.map((key) => [key, new AbortController()]))
    this.ended = new Promise((resolve, reject) => {
      this.finish = (end) => {
        this.stop.abort()
        const outcome = this.conflict ?? end
        if (outcome instanceof DiscoError) reject(outcome)
        else resolve(outcome)
      }
    })
    this.ended.catch(() => undefined)
    void this.keepLease()
    for (const key of keys) void this.watchKey(key)
  }

  /**
   * @internal Use `Registry.register`.
   *
   * Grants a lease, claims the keys, and starts to hold them. If the request has `onHeldElsewhere`, keys that another
   * registrar holds are left out.
   *
   * @param signal ends the attempt, not the registration
   * @throws DiscoError CONFLICT, USAGE; ETCD_UNREACHABLE, OUTCOME_UNKNOWN and ETCD_DENIED unless they are retried
   */
  static async acquire(
    client: EtcdClient,
    layout: Layout,
    request: RegistrationRequest,
    sink: EventSink<RegistrationEvents>,
    signal: AbortSignal,
  ): Promise<Registration> {
    const { retry = 'none' } = request
    checkWritable(
      layout,
      recordsOf(request).filter((record) => !request.stored?.(record)),
    )
    const events = new OrderedEvents(sink)
    const outages = new Backoff(ACQUIRE_BACKOFF)
    const denials = new Backoff(DENIAL_BACKOFF)
    for (;;) {
      try {
        return new Registration(client, await acquire(client, layout, request, events, signal), events)
      } catch (thrown) {
        const error = DiscoError.from(thrown)
        const isDenied = error.code === 'ETCD_DENIED'
        const mayRetry = isDenied ? retry === 'outages and denials' : retry !== 'none' && isLinkFailure(error)
        if (signal.aborted || !mayRetry) throw thrown
        events.emit('trouble', error)
        await (isDenied ? denials : outages).wait(signal)
        if (signal.aborted) throw error
      }
    }
  }

  /** The keys of the endpoints in the order of the request, whether or not they are still held. */
  get keys(): readonly string[] {
    return this.all.map(({ key }) => key)
  }

  /** The first key. A registration of a single endpoint has no other. */
  get key(): string {
    return this.keys[0] ?? ''
  }

  /** The held keys, and the last record seen under each: other clients may change it. */
  get held(): readonly { readonly key: string; readonly registered: EndpointRecord }[] {
    return [...this.watches.keys()].map(({ key, registered }) => ({ key, registered }))
  }

  /**
   * Deletes the keys and, a moment later, revokes the lease. Rejects if etcd does not answer. Resolves at once if it was
   * called before, or if the registration has already ended. If an error ended it, the keys are not deleted: they
   * disappear when the lease expires.
   *
   * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED or OUTCOME_UNKNOWN
   */
  async close(): Promise<void> {
    if (this.stop.signal.aborted) return
    this.stop.abort()
    await this.reconciling
    await Promise.all([...this.watches.keys()].map((key) => key.release()))
    await delay(REVOKE_AFTER_MS)
    await this.lease.revoke()
    this.finish('closed')
  }

  /** Calls `close`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Revokes the lease at once, which deletes the keys. @throws DiscoError ETCD_UNREACHABLE or ETCD_DENIED */
  async abandon(): Promise<void> {
    this.stop.abort()
    await this.lease.revoke()
    this.finish('closed')
  }

  private async keepLease(): Promise<void> {
    const backoff = new Backoff({ firstMs: FIRST_RETRY_MS })
    const onLapsed = (cause: DiscoError) => {
      for (const key of this.watches.keys()) key.noteRefused(cause)
    }
    for (;;) {
      const lease = this.lease.current
      const end = await keepAlive(this.client, lease, { events: this.events, onLapsed }, this.stop.signal)
      if (end === 'stopped') return
      // A reconciliation may have replaced it already.
      if (this.lease.current === lease) for (const key of this.watches.keys()) key.noteLeaseLost()
      await this.reconcileSoon(...this.watches.keys())
      // A reconciliation replaces the lease only if a key is gone or no longer under it, and etcd says that the lease does
      // not exist. A lease that was not replaced may still live: it is kept alive again after a wait.
      if (this.lease.current === lease) await backoff.wait(this.stop.signal)
      else backoff.reset()
    }
  }

  private async watchKey(key: HeldKey): Promise<void> {
    while (!this.stop.signal.aborted && this.watches.has(key)) {
      const watch = new AbortController()
      this.watches.set(key, watch)
      const signal = AbortSignal.any([this.stop.signal, watch.signal])
      try {
        for await (const events of keyEvents(this.client, key.key, this.events, signal)) {
          for (const event of events) {
            if (event.type === 'put') key.adopt(event.kv)
            else key.noteGone()
          }
          await this.reconcileSoon(key)
        }
      } catch (thrown) {
        return this.finish(DiscoError.from(thrown))
      }
    }
  }

  /** Reconciles keys after the pending reconciliations: one at a time, so that each reads the current state of etcd. */
  private reconcileSoon(...keys: readonly HeldKey[]): Promise<void> {
    this.reconciling = this.reconciling.then(async () => {
      const before = this.keys
      for (const key of keys) await this.reconcile(key)
      if (this.keys.some((key, index) => key !== before[index])) {
        for (const watch of this.watches.values()) watch.abort()
      }
    })
    return this.reconciling
  }

  /**
   * Reconciles a key: it is then held or dropped. Retries while etcd denies the request, is unable to serve it, or does not
   * answer. Reports a denial (ETCD_DENIED) always, and the other failures only while the key is missing. Any other error
   * ends the registration.
   */
  private async reconcile(key: HeldKey): Promise<void> {
    const retries = new Backoff({ firstMs: FIRST_RETRY_MS })
    const denials = new Backoff(DENIAL_BACKOFF)
    let wasDenied = false
    while (!this.stop.signal.aborted && this.watches.has(key)) {
      try {
        const state = await key.reconcile()
        if (wasDenied) this.events.emit('recovered', { leaseHolds: true })
        if (state === 'held') return
        return await this.drop(key, state === 'deregistered' ? state : takenOver(key.key, state.takenOverBy))
      } catch (thrown) {
        const error = DiscoError.from(thrown)
        const isDenied = error.code === 'ETCD_DENIED'
        if (!isDenied && !isLinkFailure(error)) return this.finish(error)
        wasDenied ||= isDenied
        // An outage is not reported here while the key exists: the keep-alives of the lease report it.
        if (key.isMissing && error.reason !== null) key.noteRefused(error)
        else if (key.isMissing || isDenied) this.events.emit('trouble', error)
        await (isDenied ? denials : retries).wait(this.stop.signal)
      }
    }
  }

  /** Stops holding a key; with the last one, the registration ends. */
  private async drop(dropped: HeldKey, why: 'deregistered' | DiscoError): Promise<void> {
    const { key, registered } = dropped
    if (why instanceof DiscoError) this.conflict ??= why
    if (this.watches.size > 1) {
      const watch = this.watches.get(dropped)
      this.watches.delete(dropped)
      watch?.abort()
      this.events.emit('dropped', { key, registered, why })
      return
    }
    this.stop.abort()
    if (why === 'deregistered') await delay(REVOKE_AFTER_MS)
    // If etcd does not answer, the lease expires, since it is no longer renewed.
    await this.lease.revoke().catch(() => undefined)
    this.finish('deregistered')
  }
}

function takenOver(key: string, by: LeaseId): DiscoError {
  return new DiscoError('CONFLICT', `${key} was taken over by lease ${by}`, {
    suggestions: [
      'This registration left the key to that lease. To take the key back, register it with --takeover',
    ],
  })
}
