import type { EndpointRecord, LeaseId, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { isNoEndpoint, isUnreadable, type Layout } from '../../domain/layouts/index.js'
import type { EtcdClient } from '../../etcd/client.js'
import { writeIfUnchanged } from '../../etcd/guarded-write.js'
import { oneKey } from '../../etcd/key-range.js'
import { createKey, deleteHeldBy } from '../../etcd/key-txn.js'
import type { GrantedLease } from '../../etcd/lease-keeper.js'
import { type KeyValue, list } from '../../etcd/range.js'
import type { HeldLease } from './held-lease.js'

/** What a held key goes through; each is told once. */
export interface KeyReports {
  onRegistered?(held: {
    key: string
    registered: EndpointRecord
    lease: GrantedLease
    revision: Revision
    again: boolean
  }): void
  /** Somebody else wrote our key: this is what it holds now. */
  onChanged?(now: {
    key: string
    registered: EndpointRecord
    before: EndpointRecord
    revision: Revision
  }): void
  /** The key had lost its lease to a plain put; it is under ours again. */
  onReattached?(at: { key: string; registered: EndpointRecord; revision: Revision }): void
  onLeaseLost?(lost: { key: string; registered: EndpointRecord; lease: LeaseId }): void
  /** The key was deleted on purpose, and is put back as asked. */
  onDeleted?(deleted: { key: string; registered: EndpointRecord }): void
  /** The key is gone, and etcd answers but refuses what would put it back. Once for each reason. */
  onRefused?(refused: { key: string; registered: EndpointRecord; cause: DiscoError }): void
}

/** How a key stands: ours, deleted by somebody on purpose, or in somebody else's hands. */
export type Standing = 'held' | 'deregistered' | { readonly takenOverBy: LeaseId }

/** One key under the lease that its registration holds, with the last valid value that stood there. */
export class HeldKey {
  private last: { readonly registered: EndpointRecord; readonly value: Uint8Array }
  /** The lease that the key is known to stand under; another one than the current: it is put there again. */
  private standsUnder: LeaseId | null
  private lastRevision: Revision = 0
  /** The refusal that was reported last; null while the key stands. */
  private refusal: string | null = null
  private isGone = false

  /** @param asked what is registered: its value stands under the key and the lease already */
  constructor(
    private readonly client: EtcdClient,
    private readonly layout: Layout,
    private readonly lease: HeldLease,
    private readonly onDelete: 'exit' | 'reregister',
    private readonly reports: KeyReports,
    private readonly asked: EndpointRecord,
  ) {
    this.last = { registered: asked, value: layout.encode([asked], lease.id).value }
    this.standsUnder = lease.id
  }

  /** Where it is to stand now: some layouts make the key of the lease. */
  get key(): string {
    return this.layout.encode([this.asked], this.lease.id).key
  }

  get registered(): EndpointRecord {
    return this.last.registered
  }

  /** Whether etcd has said that the key is gone, and not yet that it is back. */
  get isMissing(): boolean {
    return this.isGone || !this.stands
  }

  /** etcd says that the key is gone; `reconcile` finds out why. */
  noteGone(): void {
    this.isGone = true
  }

  /** etcd has ended the lease, and with it the key. */
  noteLeaseLost(): void {
    if (!this.stands) return
    this.standsUnder = null
    const { key, registered } = this
    this.reports.onLeaseLost?.({ key, registered, lease: this.lease.id })
  }

  /** What would put the key back, or keep it, was refused. */
  noteRefused(cause: DiscoError): void {
    const refusal = cause.reason ?? cause.code
    if (this.refusal === refusal) return
    this.refusal = refusal
    const { key, registered } = this
    this.reports.onRefused?.({ key, registered, cause })
  }

  /** Brings the key in order, as far as it is ours to do. Can be repeated after an error of the link. */
  async reconcile(): Promise<Standing> {
    const { kvs, revision } = await list(this.client, oneKey(this.key))
    const [kv] = kvs
    if (!kv) {
      this.isGone = true
      return await this.afterDelete()
    }
    this.isGone = false
    if (kv.lease === this.lease.id) {
      this.adopt(kv)
      if (!this.stands) this.tellHeld(kv.modRevision, { again: true })
      return 'held'
    }
    if (kv.lease === null || this.lease.wasOurs(kv.lease)) return await this.reattach(kv, revision)
    return { takenOverBy: kv.lease }
  }

  /** Remembers what stands under our lease; a value that cannot be read is never put back. */
  adopt(kv: KeyValue): void {
    if (kv.lease !== this.lease.id || kv.modRevision <= this.lastRevision) return
    this.lastRevision = kv.modRevision
    const decoded = this.layout.decode(kv.key, kv.value)
    if (isUnreadable(decoded) || isNoEndpoint(decoded)) return
    const before = this.last
    const [registered] = decoded
    this.last = { registered, value: kv.value }
    if (Buffer.compare(before.value, kv.value) === 0) return
    const { key } = this
    this.reports.onChanged?.({ key, registered, before: before.registered, revision: kv.modRevision })
  }

  /** The key stands under the current lease since this revision. */
  tellHeld(revision: Revision, { again }: { again: boolean }): void {
    const { key, registered, lease } = this
    this.standsUnder = lease.id
    this.refusal = null
    this.isGone = false
    this.lastRevision = revision
    this.reports.onRegistered?.({ key, registered, lease: lease.current, revision, again })
  }

  /** Deletes the key, if it is still ours. */
  async release(): Promise<void> {
    await deleteHeldBy(this.client, this.key, this.lease.id)
  }

  private get stands(): boolean {
    return this.standsUnder === this.lease.id
  }

  /** The key is gone. If the lease lives, somebody meant it; if not, we take both again. */
  private async afterDelete(): Promise<Standing> {
    const { lease } = this
    const wasHeld = this.stands
    if (await lease.lives()) {
      if (wasHeld && this.onDelete === 'exit') return 'deregistered'
      if (wasHeld) this.reports.onDeleted?.({ key: this.key, registered: this.registered })
      this.standsUnder = null
    } else await this.replaceLease()
    const outcome = await createKey(this.client, this.key, this.last.value, lease.id)
    if (!outcome.done) return await this.reconcile()
    this.tellHeld(outcome.revision, { again: true })
    return 'held'
  }

  /**
   * The new lease is ours from here on, whatever becomes of the put: an answer that is lost must not make our
   * own key look like somebody else's.
   */
  private async replaceLease(): Promise<void> {
    this.noteLeaseLost()
    await this.lease.replace()
  }

  private async reattach(kv: KeyValue, at: Revision): Promise<Standing> {
    const { key, lease } = this
    if (!(await lease.lives())) await this.replaceLease()
    const seen = { key, revision: kv.modRevision, at }
    const outcome = await writeIfUnchanged(this.client, [{ seen, value: kv.value, lease: lease.id }])
    if (!outcome.done) return await this.reconcile()
    this.standsUnder = lease.id
    this.refusal = null
    this.reports.onReattached?.({ key, registered: this.registered, revision: outcome.revision })
    this.adopt({ ...kv, lease: lease.id, modRevision: outcome.revision })
    return 'held'
  }
}
