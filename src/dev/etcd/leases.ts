import { refusals } from './errors.js'
import type { Store } from './store.js'
import type { Version } from './version.js'

/** etcd's maximum, 285 years in seconds: a longer lease is a mistake. */
const MAX_TTL_SECONDS = 9_000_000_000

/** How often etcd looks for expired leases. */
const SWEEP_PERIOD_MS = 500

export interface Lease {
  readonly id: bigint
  /** The granted TTL: the requested one, or the server's minimum. */
  readonly ttlSeconds: number
  /** The time of the clock at which the lease ends, unless it is kept alive. */
  expiresAtMs: number
  readonly keys: Set<string>
}

interface LeaseOptions {
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
  /** Shorter TTLs are raised to this. etcd's default is 2: one and a half election timeouts, rounded up. */
  readonly minTtlSeconds: number
  /** Returns a positive id that is probably unused. */
  readonly nextId: () => bigint
}

/** The leases of one store, with the keys attached to each. */
export class Leases {
  private readonly byId = new Map<bigint, Lease>()
  private readonly byKey = new Map<string, Lease>()
  private sweeper: NodeJS.Timeout | undefined

  constructor(
    private readonly store: Store,
    private readonly options: LeaseOptions,
  ) {
    store.onCommit((_revision, changes) => this.follow(changes))
  }

  has(id: bigint): boolean {
    return this.byId.has(id)
  }

  get(id: bigint): Lease | undefined {
    return this.byId.get(id)
  }

  /** Creates a lease. @param id 0n lets the server choose */
  grant(id: bigint, ttlSeconds: number): Lease {
    let chosen = id
    while (chosen === 0n || (id === 0n && this.byId.has(chosen))) chosen = this.options.nextId()
    if (ttlSeconds > MAX_TTL_SECONDS) throw refusals.leaseTtlTooLarge()
    if (this.byId.has(chosen)) throw refusals.leaseExists()
    const granted = Math.max(ttlSeconds, this.options.minTtlSeconds)
    const lease = {
      id: chosen,
      ttlSeconds: granted,
      expiresAtMs: this.expiry(granted),
      keys: new Set<string>(),
    }
    this.byId.set(chosen, lease)
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_PERIOD_MS).unref()
    return lease
  }

  /**
   * Deletes the lease and all its keys, in key order and in one revision.
   *
   * @throws RpcError if the lease does not exist
   */
  revoke(id: bigint): void {
    const lease = this.byId.get(id)
    if (lease === undefined) throw refusals.leaseNotFound()
    this.byId.delete(id)
    this.store.write((txn) => {
      for (const key of [...lease.keys].sort()) txn.delete({ key, end: undefined })
    })
  }

  /** @returns the renewed TTL in seconds; 0 when the lease does not exist */
  keepAlive(id: bigint): number {
    const lease = this.byId.get(id)
    if (lease === undefined) return 0
    lease.expiresAtMs = this.expiry(lease.ttlSeconds)
    return lease.ttlSeconds
  }

  /** The time left in whole seconds, rounded down, as in etcd. */
  remainingSeconds(lease: Lease): number {
    return Math.floor((lease.expiresAtMs - this.options.now()) / 1000)
  }

  /** All leases, in the order of their expiry. */
  all(): Lease[] {
    return [...this.byId.values()].sort((a, b) => a.expiresAtMs - b.expiresAtMs)
  }

  stop(): void {
    clearInterval(this.sweeper)
    this.sweeper = undefined
  }

  private expiry(ttlSeconds: number): number {
    return this.options.now() + ttlSeconds * 1000
  }

  private sweep(): void {
    const now = this.options.now()
    for (const lease of this.all()) {
      if (lease.expiresAtMs > now) break
      this.revoke(lease.id)
    }
    if (this.byId.size === 0) this.stop()
  }

  /**
   * Attaches keys to leases: a put detaches its key from the previous lease and attaches it to its own, if it has one.
   * A deletion detaches the key.
   */
  private follow(changes: readonly Version[]): void {
    for (const { key, lease: id } of changes) {
      const before = this.byKey.get(key)
      if (before !== undefined) {
        before.keys.delete(key)
        this.byKey.delete(key)
      }
      const lease = id === 0n ? undefined : this.byId.get(id)
      if (lease !== undefined) {
        lease.keys.add(key)
        this.byKey.set(key, lease)
      }
    }
  }
}
