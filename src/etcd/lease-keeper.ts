import type { LeaseId } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import { type GrantedLease, type KeeperReports, LeaseKeeper } from './keep-alive.js'

export type { GrantedLease, KeeperReports }

export async function grantLease(client: EtcdClient, ttlSeconds: number): Promise<GrantedLease> {
  const granted = await client.leaseGrant(ttlSeconds)
  return { id: granted.ID, ttlSeconds: Number(granted.TTL) }
}

/** Seconds left and granted, or null for a lease that etcd does not know (any more): its TTL is -1. */
export async function leaseTtl(
  client: EtcdClient,
  lease: LeaseId,
): Promise<{ readonly ttlSeconds: number; readonly grantedTtlSeconds: number } | null> {
  const answer = await client.leaseTimeToLive(lease)
  const ttlSeconds = Number(answer.TTL)
  return ttlSeconds < 0 ? null : { ttlSeconds, grantedTtlSeconds: Number(answer.grantedTTL) }
}

/**
 * Keeps a lease alive until the signal aborts, through any outage: it keeps asking for the same lease, at
 * every member in turn, for as long as etcd has not said that the lease is gone. A restarted etcd revives its
 * leases, so an outage longer than the TTL alone ends nothing.
 *
 * @returns 'lost' when etcd says so, 'stopped' when the signal aborted. Never throws.
 */
export function keepAlive(
  client: EtcdClient,
  lease: GrantedLease,
  reports: KeeperReports,
  signal: AbortSignal,
): Promise<'lost' | 'stopped'> {
  return new LeaseKeeper(client, lease, reports, signal).run()
}
