import { type LeaseId, leaseIdOf } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'

/** A lease as etcd granted it; the TTL may be longer than requested. */
export interface GrantedLease {
  readonly id: LeaseId
  readonly ttlSeconds: number
}

/** @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED */
export async function grantLease(client: EtcdClient, ttlSeconds: number): Promise<GrantedLease> {
  const granted = await client.leaseGrant(ttlSeconds)
  return { id: leaseIdOf(granted.ID), ttlSeconds: Number(granted.TTL) }
}

/**
 * Seconds left and granted; null for a lease that etcd does not know (any longer): its TTL is -1.
 *
 * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED
 */
export async function leaseTtl(
  client: EtcdClient,
  lease: LeaseId,
): Promise<{ readonly ttlSeconds: number; readonly grantedTtlSeconds: number } | null> {
  const answer = await client.leaseTimeToLive(lease)
  const ttlSeconds = Number(answer.TTL)
  return ttlSeconds < 0 ? null : { ttlSeconds, grantedTtlSeconds: Number(answer.grantedTTL) }
}
