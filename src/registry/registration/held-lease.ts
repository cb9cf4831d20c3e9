import type { LeaseId } from '../../domain/endpoint.js'
import type { EtcdClient } from '../../etcd/client.js'
import { type GrantedLease, grantLease, leaseTtl } from '../../etcd/lease-keeper.js'

/** The lease that all keys of a registration stand under. When etcd has ended it, another takes its place. */
export class HeldLease {
  private former: LeaseId | null = null

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

  /** Whether it is the one that the current one has replaced: etcd may take a while to delete its keys. */
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
  }

  async revoke(): Promise<void> {
    await this.client.leaseRevoke(this.id)
  }
}
