import type { EndpointRecord, LeaseId, Revision } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import type { EtcdClient } from '../../etcd/client.js'
import { writeIfUnchanged } from '../../etcd/guarded-write.js'
import { oneKey } from '../../etcd/key-range.js'
import { createKey, deleteHeldBy } from '../../etcd/key-txn.js'
import { type GrantedLease, grantLease, leaseTtl } from '../../etcd/lease.js'
import { list } from '../../etcd/list.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { acquireKey, type ClaimReports, type StoredForm } from './acquire-key.js'
import type { EventSink, RegistrationEvents } from './events.js'

/** The lease of all keys of a registration. If etcd ends it, `replace` grants another one. */
export class HeldLease {
  private former: LeaseId | null = null
  private readonly listeners: (() => void)[] = []

  constructor(
    private readonly client: EtcdClient,
    private readonly ttlSeconds: number,
    private granted: GrantedLease,
  ) {}

  get current(): GrantedLease {
    return this.granted
  }

  get id(): LeaseId {
    return this.granted.id
  }

  /** The listener is called after each replacement, before anything is written under the new lease. */
  onReplaced(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** Whether this is the lease before the current one: etcd may take a while to delete the keys of a dead lease. */
  wasOurs(lease: LeaseId): boolean {
    return lease === this.former
  }

  async lives(): Promise<boolean> {
    return (await leaseTtl(this.client, this.id)) !== null
  }

  async replace(): Promise<void> {
    const next = await grantLease(this.client, this.ttlSeconds)
    this.former = this.id
    this.granted = next
    for (const listener of this.listeners) listener()
  }

  async revoke(): Promise<void> {
    await this.client.leaseRevoke(this.id)
  }
}

/** State of a key in etcd: ours, deleted on purpose, or under the lease of another registrar. */
export type KeyState = 'held' | 'deregistered' | { readonly takenOverBy: LeaseId }

/** Data shared by all keys of a registration. */
export interface KeyContext {
  readonly client: EtcdClient
  readonly layout: Layout
  readonly lease: HeldLease
  readonly onDelete: 'exit' | 'reregister'
  readonly events: EventSink<RegistrationEvents>
}

/** One key under the lease of its registration, with the last valid value seen there. */
export class HeldKey {
  private at: string
  private last: { readonly registered: EndpointRecord; readonly value: Uint8Array }
  /** The last known lease of the key; if it is not the current one, the key is put again. */
  private heldUnder: LeaseId | null = null
  private lastRevision: Revision = 0
  /** The last reported refusal; null while the key exists. */
  private refusal: string | null = null
  private isGone = false

  constructor(
    private readonly context: KeyContext,
    requested: EndpointRecord,
    stored: StoredForm | null,
  ) {
    const { layout, lease } = context
    const { key, value } = stored ?? layout.encode([requested], lease.id)
    this.at = key
    this.last = { registered: requested, value }
    // In some layouts the key contains the lease.
    lease.onReplaced(() => {
      this.at = stored?.key ?? layout.encode([requested], lease.id).key
    })
  }

  get key(): string {
    return this.at
  }

  get registered(): EndpointRecord {
    return this.last.registered
  }

  /** Whether the key is known to be gone from etcd, or not known to be under the current lease. */
  get isMissing(): boolean {
    return this.isGone || !this.isHeld
  }

  /**
   * Puts the key under the lease, after a dead lease there has lapsed.
   *
   * @throws DiscoError CONFLICT
   */
  async claim(takeover: boolean, onTaken: ClaimReports['onTaken'], signal: AbortSignal): Promise<Revision> {
    const { client, lease, events } = this.context
    const { key } = this
    const claim = { key, value: this.last.value, takeover }
    return await acquireKey(
      client,
      lease.current,
      claim,
      { onWait: (found) => events.emit('waiting', { key, ...found }), onTaken },
      signal,
    )
  }

  /** Notes an answer of etcd that the key is gone; `reconcile` finds out why. */
  noteGone(): void {
    this.isGone = true
  }

  /** Notes that etcd has ended the lease, and the key with it. */
  noteLeaseLost(): void {
    if (!this.isHeld) return
    this.heldUnder = null
    const { key, registered } = this
    this.context.events.emit('leaseLost', { key, registered, lease: this.context.lease.id })
  }

  /** Notes that etcd refused a write that would put the key back, or keep it. */
  noteRefused(cause: DiscoError): void {
    const refusal = cause.reason ?? cause.code
    if (this.refusal === refusal) return
    this.refusal = refusal
    const { key, registered } = this
    this.context.events.emit('refused', { key, registered, cause })
  }

  /**
   * Reads the key, and puts it back unless it was deleted on purpose or taken over. May be repeated after an error.
   */
  async reconcile(): Promise<KeyState> {
    const { client, lease } = this.context
    const { kvs, revision } = await list(client, oneKey(this.key))
    const [kv] = kvs
    if (!kv) {
      this.isGone = true
      return await this.afterDelete()
    }
    this.isGone = false
    if (kv.lease === lease.id) {
      this.adopt(kv)
      if (!this.isHeld) this.noteHeld(kv.modRevision, { again: true })
      return 'held'
    }
    if (kv.lease === null || lease.wasOurs(kv.lease)) return await this.reattach(kv, revision)
    return { takenOverBy: kv.lease }
  }

  /** Keeps a value that another client wrote under our lease. A value that cannot be read is not kept, nor put back. */
  adopt(kv: KeyValue): void {
    const { layout, lease, events } = this.context
    if (kv.lease !== lease.id || kv.modRevision <= this.lastRevision) return
    this.lastRevision = kv.modRevision
    const decoded = layout.decode(kv.key, kv.value)
    if (decoded.kind !== 'endpoints') return
    const before = this.last
    const [registered] = decoded.records
    this.last = { registered, value: kv.value }
    if (Buffer.compare(before.value, kv.value) === 0) return
    const { key } = this
    events.emit('changed', { key, registered, before: before.registered, revision: kv.modRevision })
  }

  /** Notes that the key is under the current lease since this revision. */
  noteHeld(revision: Revision, { again }: { again: boolean }): void {
    const { lease, events } = this.context
    const { key, registered } = this
    this.heldUnder = lease.id
    this.refusal = null
    this.isGone = false
    this.lastRevision = revision
    events.emit('registered', { key, registered, lease: lease.current, revision, again })
  }

  /** Deletes the key, if it is still ours. */
  async release(): Promise<void> {
    const { client, lease } = this.context
    await deleteHeldBy(client, this.key, lease.id)
  }

  private get isHeld(): boolean {
    return this.heldUnder === this.context.lease.id
  }

  /**
   * Handles a missing key. If its lease lives, it was deleted on purpose; otherwise lease and key are acquired again.
   */
  private async afterDelete(): Promise<KeyState> {
    const { client, lease, onDelete, events } = this.context
    const wasHeld = this.isHeld
    if (await lease.lives()) {
      if (wasHeld && onDelete === 'exit') return 'deregistered'
      if (wasHeld) events.emit('deleted', { key: this.key, registered: this.registered })
      this.heldUnder = null
    } else await this.replaceLease()
    const outcome = await createKey(client, this.key, this.last.value, lease.id)
    if (!outcome.done) return await this.reconcile()
    this.noteHeld(outcome.revision, { again: true })
    return 'held'
  }

  /**
   * Replaces the lease. The new lease counts as ours even if the next put fails: if only etcd's answer was lost, our
   * own key must not look like another registrar's.
   */
  private async replaceLease(): Promise<void> {
    this.noteLeaseLost()
    await this.context.lease.replace()
  }

  private async reattach(kv: KeyValue, at: Revision): Promise<KeyState> {
    const { client, lease, events } = this.context
    const { key } = this
    if (!(await lease.lives())) await this.replaceLease()
    const seen = { key, revision: kv.modRevision, at }
    const outcome = await writeIfUnchanged(client, [{ seen, value: kv.value, lease: lease.id }])
    if (!outcome.done) return await this.reconcile()
    this.heldUnder = lease.id
    this.refusal = null
    events.emit('reattached', { key, registered: this.registered, revision: outcome.revision })
    this.adopt({ ...kv, lease: lease.id, modRevision: outcome.revision })
    return 'held'
  }
}
