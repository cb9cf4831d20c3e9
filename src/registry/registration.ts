import { setTimeout as delay } from 'node:timers/promises'
import { type LeaseId, leaseHex, type Registered, type Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { isNoEndpoint, isUnreadable, type Layout } from '../domain/layouts/index.js'
import type { EtcdClient } from '../etcd/client.js'
import { createKey, deleteHeldBy, replaceUnder } from '../etcd/key-txn.js'
import { type GrantedLease, grantLease, keepAlive, leaseTtl } from '../etcd/lease-keeper.js'
import { watchRange } from '../etcd/prefix-watch.js'
import { type KeyValue, list, oneKey } from '../etcd/range.js'
import { claimKey } from './claim.js'

export interface RegistrationRequest {
  readonly registered: Registered
  readonly ttlSeconds: number
  /** Takes a key that somebody else holds. Default: no. */
  readonly takeover?: boolean
  /** What to do when somebody deletes the key while its lease lives, that is, on purpose. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
}

/** What a held registration goes through; each is told once. */
export interface RegistrationReports {
  onWaiting?(found: { lease: LeaseId; ttlSeconds: number }): void
  onRegistered?(held: {
    key: string
    registered: Registered
    lease: GrantedLease
    revision: Revision
    again: boolean
  }): void
  /** Somebody else wrote our key: this is what it holds now. */
  onChanged?(now: { registered: Registered; before: Registered; revision: Revision }): void
  /** The key had lost its lease to a plain put; it is under ours again. */
  onReattached?(at: { revision: Revision }): void
  onLeaseLost?(lost: { lease: LeaseId }): void
  /** The key was deleted on purpose, and is put back as asked. */
  onDeleted?(): void
  onTrouble?(cause: DiscoError): void
  onRecovered?(): void
}

/** How a registration ended by itself: its key was deleted while its lease lived, that is, on purpose. */
export type Ended = 'deregistered' | 'closed'

/** Watchers tell a deregistration from an expiry by asking for the lease: it lives this much longer. */
const REVOKE_AFTER_MS = 250

/** A reconciliation that etcd did not answer is tried again this much later, unless an event comes first. */
const RETRY_MS = 1_000

/**
 * One held endpoint: a key under a lease of its own. For as long as it runs it takes the key again whenever
 * etcd says that the lease is gone, with the last valid value that stood under it; it never fights another
 * registrar, and puts back what was deleted on purpose only if it was told to.
 */
export class Registration {
  /** Resolves when it ends by itself or is closed. Rejects with CONFLICT when the key was taken over. */
  readonly ended: Promise<Ended>

  private readonly stop = new AbortController()
  /** Ends the watch of a key that is no longer ours: some layouts make the key of the lease. */
  private moved = new AbortController()
  private reconciling: Promise<void> = Promise.resolve()
  /** A lost lease has been replaced, and the key is not known to stand under the new one yet. */
  private isRegisteringAgain = false
  private currentKey: string
  private finish: (end: Ended | DiscoError) => void = () => undefined

  private constructor(
    private readonly client: EtcdClient,
    private readonly layout: Layout,
    private readonly request: RegistrationRequest,
    private readonly reports: RegistrationReports,
    private lease: GrantedLease,
    private last: { registered: Registered; value: Uint8Array },
    private lastRevision: Revision,
  ) {
    this.currentKey = this.keyUnder(lease)
    this.ended = new Promise((resolve, reject) => {
      this.finish = (end) => {
        this.stop.abort()
        if (end instanceof DiscoError) reject(end)
        else resolve(end)
      }
    })
    this.ended.catch(() => undefined)
  }

  /** Where it stands now. */
  get key(): string {
    return this.currentKey
  }

  /** Grants a lease, claims the key, and starts to hold both. @throws DiscoError CONFLICT, USAGE */
  static async acquire(
    client: EtcdClient,
    layout: Layout,
    request: RegistrationRequest,
    reports: RegistrationReports,
    signal: AbortSignal,
  ): Promise<Registration> {
    const { registered, ttlSeconds, takeover = false } = request
    // What cannot be written, whatever lease etcd grants, is refused before etcd is asked for one.
    layout.encode([registered], '1')
    const lease = await grantLease(client, ttlSeconds)
    const { key, value } = layout.encode([registered], lease.id)
    const waiting = new AbortController()
    void keepAlive(client, lease, {}, waiting.signal)
    try {
      const revision = await claimKey(
        client,
        lease,
        { key, value, takeover },
        (found) => reports.onWaiting?.(found),
        signal,
      )
      const held = new Registration(client, layout, request, reports, lease, { registered, value }, revision)
      reports.onRegistered?.({ key, registered, lease, revision, again: false })
      void held.keepLease()
      void held.watchKey()
      return held
    } catch (error) {
      await client.leaseRevoke(lease.id).catch(() => undefined)
      throw error
    } finally {
      waiting.abort()
    }
  }

  /** Deletes the key and, a moment later, revokes the lease. Idempotent. */
  async close(): Promise<void> {
    if (this.stop.signal.aborted) return
    this.stop.abort()
    await this.reconciling
    await deleteHeldBy(this.client, this.key, this.lease.id)
    await delay(REVOKE_AFTER_MS)
    await this.client.leaseRevoke(this.lease.id)
    this.finish('closed')
  }

  /** Revokes the lease without more ado, which takes the key with it. */
  async abandon(): Promise<void> {
    this.stop.abort()
    await this.client.leaseRevoke(this.lease.id)
    this.finish('closed')
  }

  private async pause(): Promise<void> {
    await delay(RETRY_MS, undefined, { signal: this.stop.signal }).catch(() => undefined)
  }

  private async keepLease(): Promise<void> {
    for (;;) {
      const { lease } = this
      if ((await keepAlive(this.client, lease, this.reports, this.stop.signal)) === 'stopped') return
      await this.reconcileSoon()
      if (this.lease === lease) await this.pause()
    }
  }

  private keyUnder(lease: GrantedLease): string {
    return this.layout.encode([this.request.registered], lease.id).key
  }

  private async newLease(): Promise<void> {
    this.lease = await grantLease(this.client, this.request.ttlSeconds)
    const key = this.keyUnder(this.lease)
    if (key === this.currentKey) return
    this.currentKey = key
    this.moved.abort()
  }

  private async watchKey(): Promise<void> {
    try {
      while (!this.stop.signal.aborted) {
        this.moved = new AbortController()
        const signal = AbortSignal.any([this.stop.signal, this.moved.signal])
        for await (const update of watchRange(this.client, oneKey(this.key), signal)) {
          if (update.type === 'changes') {
            for (const event of update.events) if (event.type === 'put') this.adopt(event.kv)
          }
          if (update.type !== 'stale') await this.reconcileSoon()
        }
      }
    } catch (error) {
      this.finish(DiscoError.from(error))
    }
  }

  /** One reconciliation after the other, each with what etcd says then. */
  private reconcileSoon(): Promise<void> {
    this.reconciling = this.reconciling.then(async () => {
      while (!this.stop.signal.aborted) {
        try {
          return await this.reconcile()
        } catch (thrown) {
          const error = DiscoError.from(thrown)
          if (error.code !== 'ETCD_UNREACHABLE') return this.finish(error)
          await this.pause()
        }
      }
    })
    return this.reconciling
  }

  private async reconcile(): Promise<void> {
    const { kvs } = await list(this.client, oneKey(this.key))
    const [kv] = kvs
    if (!kv) return await this.afterDelete()
    if (kv.lease === this.lease.id) {
      if (this.isRegisteringAgain) this.heldAgain(kv.modRevision)
      return this.adopt(kv)
    }
    if (kv.lease === null) return await this.reattach(kv)
    this.finish(await this.takenOver(kv.lease))
  }

  /** The key is gone. If the lease lives, somebody meant it; if not, we take both again. */
  private async afterDelete(): Promise<void> {
    const leaseLives = (await leaseTtl(this.client, this.lease.id)) !== null
    if (!this.isRegisteringAgain) {
      if (leaseLives && this.request.onDelete !== 'reregister') {
        await delay(REVOKE_AFTER_MS)
        await this.client.leaseRevoke(this.lease.id)
        return this.finish('deregistered')
      }
      if (leaseLives) this.reports.onDeleted?.()
      else this.reports.onLeaseLost?.({ lease: this.lease.id })
    }
    this.isRegisteringAgain = true
    // The lease is ours from here on, whatever becomes of the put: an answer that is lost must not make our
    // own key look like somebody else's.
    if (!leaseLives) await this.newLease()
    const outcome = await createKey(this.client, this.key, this.last.value, this.lease.id)
    if (!outcome.done) return await this.reconcile()
    this.heldAgain(outcome.revision)
  }

  private heldAgain(revision: Revision): void {
    this.isRegisteringAgain = false
    this.lastRevision = revision
    const { key, lease, last } = this
    this.reports.onRegistered?.({ key, registered: last.registered, lease, revision, again: true })
  }

  /** Remembers what stands under our lease; a value that cannot be read is never put back. */
  private adopt(kv: KeyValue): void {
    if (kv.lease !== this.lease.id || kv.modRevision <= this.lastRevision) return
    this.lastRevision = kv.modRevision
    const decoded = this.layout.decode(kv.key, kv.value)
    if (isUnreadable(decoded) || isNoEndpoint(decoded)) return
    const before = this.last
    const [registered] = decoded
    this.last = { registered, value: kv.value }
    if (Buffer.compare(before.value, kv.value) === 0) return
    this.reports.onChanged?.({ registered, before: before.registered, revision: kv.modRevision })
  }

  private async reattach(kv: KeyValue): Promise<void> {
    if (!(await leaseTtl(this.client, this.lease.id))) {
      this.reports.onLeaseLost?.({ lease: this.lease.id })
      this.lease = await grantLease(this.client, this.request.ttlSeconds)
    }
    const outcome = await replaceUnder(this.client, this.key, kv.value, this.lease.id, kv.modRevision)
    if (!outcome.done) return await this.reconcile()
    this.reports.onReattached?.({ revision: outcome.revision })
    this.adopt({ ...kv, lease: this.lease.id, modRevision: outcome.revision })
  }

  private async takenOver(by: LeaseId): Promise<DiscoError> {
    await this.client.leaseRevoke(this.lease.id)
    return new DiscoError('CONFLICT', `${this.key} was taken over by lease ${leaseHex(by)}`, {
      suggestions: ['Nothing was touched. To take it back: --takeover'],
    })
  }
}
