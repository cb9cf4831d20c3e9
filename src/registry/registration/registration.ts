import { setTimeout as delay } from 'node:timers/promises'
import { type EndpointRecord, type LeaseId, leaseHex, type Revision } from '../../domain/endpoint.js'
import { DiscoError, isLinkFailure } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import { Backoff, DENIAL_BACKOFF } from '../../etcd/backoff.js'
import type { EtcdClient } from '../../etcd/client.js'
import { type GrantedLease, grantLease, type KeeperReports, keepAlive } from '../../etcd/lease-keeper.js'
import { explainUnknown } from '../unknown-outcome.js'
import { claimKey } from './acquire-key.js'
import { checkWritable } from './check-writable.js'
import type { RegistrationReports } from './events.js'
import { HeldKey } from './held-key.js'
import { HeldLease } from './held-lease.js'
import { keyEvents } from './key-events.js'
import type { RegistrationRequest } from './request.js'
import { toldInOrder } from './told-in-order.js'

/** A key that is held, and what ends its watch: its own end, and a move to another key. */
interface Hold {
  readonly key: HeldKey
  readonly stop: AbortController
  moved: AbortController
}

/** How a registration ended: closed, or all of its keys were deleted while the lease lived, on purpose. */
export type Ended = 'deregistered' | 'closed'

/** Watchers tell a deregistration from an expiry by asking for the lease: it lives this much longer. */
const REVOKE_AFTER_MS = 250

/** A reconciliation that failed is tried again this much later, jittered; doubling to 2 s. */
const FIRST_RETRY_MS = 500

/**
 * Held endpoints: keys under one lease. For as long as it runs it takes the keys again whenever etcd says that
 * the lease is gone, each with the last valid value that stood under it; it never fights another registrar,
 * and puts back what was deleted on purpose only if it was told to.
 */
export class Registration {
  /**
   * Resolves when it is closed or all keys were deleted on purpose. Rejects with CONFLICT at the same time if
   * a key was taken over meanwhile, or with what else no retry can mend.
   */
  readonly ended: Promise<Ended>

  private readonly stop = new AbortController()
  private readonly holds: Set<Hold>
  private reconciling: Promise<void> = Promise.resolve()
  private conflict: DiscoError | null = null
  private finish: (end: Ended | DiscoError) => void = () => undefined

  private constructor(
    private readonly client: EtcdClient,
    private readonly lease: HeldLease,
    private readonly reports: RegistrationReports,
    private readonly all: readonly HeldKey[],
  ) {
    this.holds = new Set(
      all.map((key) => ({ key, stop: new AbortController(), moved: new AbortController() })),
    )
    this.ended = new Promise((resolve, reject) => {
      this.finish = (end) => {
        this.stop.abort()
        const outcome = this.conflict ?? end
        if (outcome instanceof DiscoError) reject(outcome)
        else resolve(outcome)
      }
    })
    this.ended.catch(() => undefined)
  }

  /** Grants a lease, claims the keys, and starts to hold them all. @throws DiscoError CONFLICT, USAGE, OUTCOME_UNKNOWN */
  static async acquire(
    client: EtcdClient,
    layout: Layout,
    request: RegistrationRequest,
    unordered: RegistrationReports,
    signal: AbortSignal,
  ): Promise<Registration> {
    const reports = toldInOrder(unordered)
    const { ttlSeconds, takeover = false, onDelete = 'exit' } = request
    const all = 'service' in request.registered ? [request.registered] : request.registered
    // What cannot be written, whatever lease etcd grants, is refused before etcd is asked for one.
    checkWritable(layout, all)
    const lease = new HeldLease(client, ttlSeconds, await grantLease(client, ttlSeconds))
    const failed = new AbortController()
    const waiting = new AbortController()
    void keepAlive(client, lease.current, {}, waiting.signal)
    try {
      const claims = all.map((registered) => {
        const { key, value } = layout.encode([registered], lease.id)
        return claimKey(
          client,
          lease.current,
          { key, value, takeover },
          (found) => reports.onWaiting?.({ key, ...found }),
          AbortSignal.any([signal, failed.signal]),
        )
      })
      const revisions = await allOrFirstError(claims, failed)
      const keys = all.map((asked) => new HeldKey(client, layout, lease, onDelete, reports, asked))
      const registration = new Registration(client, lease, reports, keys)
      for (const [index, key] of keys.entries()) key.tellHeld(revisions[index] ?? 0, { again: false })
      void registration.keepLease()
      for (const hold of registration.holds) void registration.watchKey(hold)
      return registration
    } catch (error) {
      throw await lease.revoke().then(
        () => (isUnknown(error) ? error.cause : error),
        () => explainUnknown(error, ...unknownClaim(all, lease.current)),
      )
    } finally {
      waiting.abort()
    }
  }

  /** Where all endpoints that were asked for are to stand now, in that order. */
  get keys(): readonly string[] {
    return this.all.map(({ key }) => key)
  }

  /** The first of the keys: of a registration of one endpoint, the only one. */
  get key(): string {
    return this.keys[0] ?? ''
  }

  /** The keys that are held, and what is known to stand under them: others may change it. */
  get held(): readonly { readonly key: string; readonly registered: EndpointRecord }[] {
    return [...this.holds].map(({ key }) => ({ key: key.key, registered: key.registered }))
  }

  /** Deletes the keys and, a moment later, revokes the lease. Idempotent. */
  async close(): Promise<void> {
    if (this.stop.signal.aborted) return
    this.stop.abort()
    await this.reconciling
    await Promise.all([...this.holds].map(({ key }) => key.release()))
    await delay(REVOKE_AFTER_MS)
    await this.lease.revoke()
    this.finish('closed')
  }

  /** Revokes the lease without more ado, which takes the keys with it. */
  async abandon(): Promise<void> {
    this.stop.abort()
    await this.lease.revoke()
    this.finish('closed')
  }

  private async keepLease(): Promise<void> {
    const backoff = new Backoff({ firstMs: FIRST_RETRY_MS })
    for (;;) {
      const lease = this.lease.current
      if ((await this.keepAlive(lease)) === 'stopped') return
      // A reconciliation may have replaced it already.
      if (this.lease.current === lease) for (const { key } of this.holds) key.noteLeaseLost()
      await this.reconcileSoon(...this.holds)
      if (this.lease.current === lease) await backoff.wait(this.stop.signal)
      else backoff.reset()
    }
  }

  /** An etcd that answers, and refuses to renew for a whole TTL, has ended the lease by then. */
  private async keepAlive(lease: GrantedLease): Promise<'lost' | 'stopped'> {
    let lapse: NodeJS.Timeout | undefined
    const reports: KeeperReports = {
      onTrouble: (cause) => {
        this.reports.onTrouble?.(cause)
        if (cause.code !== 'ETCD_DENIED') return
        lapse = setTimeout(() => this.refuse(cause), lease.ttlSeconds * 1_000)
      },
      onRecovered: (outcome) => {
        clearTimeout(lapse)
        this.reports.onRecovered?.(outcome)
      },
    }
    try {
      return await keepAlive(this.client, lease, reports, this.stop.signal)
    } finally {
      clearTimeout(lapse)
    }
  }

  private refuse(cause: DiscoError): void {
    for (const { key } of this.holds) key.noteRefused(cause)
  }

  private async watchKey(hold: Hold): Promise<void> {
    while (!this.stop.signal.aborted && !hold.stop.signal.aborted) {
      hold.moved = new AbortController()
      const signal = AbortSignal.any([this.stop.signal, hold.stop.signal, hold.moved.signal])
      try {
        for await (const events of keyEvents(this.client, hold.key.key, this.reports, signal)) {
          for (const event of events) {
            if (event.type === 'put') hold.key.adopt(event.kv)
            else hold.key.noteGone()
          }
          await this.reconcileSoon(hold)
        }
      } catch (thrown) {
        return this.finish(DiscoError.from(thrown))
      }
    }
  }

  /** One reconciliation after the other, each with what etcd says then. */
  private reconcileSoon(...holds: readonly Hold[]): Promise<void> {
    this.reconciling = this.reconciling.then(async () => {
      const before = this.keys
      for (const hold of holds) await this.reconcile(hold)
      if (this.keys.some((key, index) => key !== before[index])) {
        for (const { moved } of this.holds) moved.abort()
      }
    })
    return this.reconciling
  }

  /** Tries until etcd has said how the key stands; meanwhile reports what keeps it from being put back. */
  private async reconcile(hold: Hold): Promise<void> {
    const retries = new Backoff({ firstMs: FIRST_RETRY_MS })
    const denials = new Backoff(DENIAL_BACKOFF)
    let wasDenied = false
    while (!this.stop.signal.aborted && this.holds.has(hold)) {
      try {
        const standing = await hold.key.reconcile()
        if (wasDenied) this.reports.onRecovered?.({ leaseHolds: true })
        if (standing === 'held') return
        const isMeant = standing === 'deregistered'
        return await this.drop(hold, isMeant ? standing : takenOver(hold.key.key, standing.takenOverBy))
      } catch (thrown) {
        const error = DiscoError.from(thrown)
        const isDenied = error.code === 'ETCD_DENIED'
        if (!isDenied && !isLinkFailure(error)) return this.finish(error)
        wasDenied ||= isDenied
        // While the lease lives, its keep-alives tell whether etcd answers.
        if (hold.key.isMissing && error.reason !== null) hold.key.noteRefused(error)
        else if (hold.key.isMissing || isDenied) this.reports.onTrouble?.(error)
        await (isDenied ? denials : retries).wait(this.stop.signal)
      }
    }
  }

  /** A key is somebody else's affair from here on; with the last one, the registration ends. */
  private async drop(hold: Hold, why: 'deregistered' | DiscoError): Promise<void> {
    const { key, registered } = hold.key
    if (why instanceof DiscoError) this.conflict ??= why
    if (this.holds.size > 1) {
      hold.stop.abort()
      this.holds.delete(hold)
      this.reports.onDropped?.({ key, registered, why })
      return
    }
    this.stop.abort()
    if (why === 'deregistered') await delay(REVOKE_AFTER_MS)
    // Nobody renews the lease any more: where etcd cannot be told, it lapses.
    await this.lease.revoke().catch(() => undefined)
    this.finish('deregistered')
  }
}

/** Without its lease, a key that may have been claimed is gone for certain. */
function isUnknown(error: unknown): error is DiscoError {
  return error instanceof DiscoError && error.code === 'OUTCOME_UNKNOWN'
}

function unknownClaim(
  all: readonly EndpointRecord[],
  { id, ttlSeconds }: GrantedLease,
): [what: string, next: string] {
  const what = all.map(({ service, addr }) => `${service} ${addr}`).join(', ')
  return [
    `${what} may have been registered`,
    `Nobody renews its lease ${leaseHex(id)}: it lapses within ${ttlSeconds}s of etcd's being back`,
  ]
}

function takenOver(key: string, by: LeaseId): DiscoError {
  return new DiscoError('CONFLICT', `${key} was taken over by lease ${leaseHex(by)}`, {
    suggestions: ['Nothing was touched. To take it back: --takeover'],
  })
}

/** Waits for all of them in any case: what one has claimed must not come after the lease was given up. */
async function allOrFirstError(
  claims: readonly Promise<Revision>[],
  failed: AbortController,
): Promise<Revision[]> {
  const errors: unknown[] = []
  const revisions = await Promise.all(
    claims.map((claim) =>
      claim.catch((error: unknown) => {
        errors.push(error)
        failed.abort()
        return 0
      }),
    ),
  )
  if (errors.length > 0) throw errors[0]
  return revisions
}
