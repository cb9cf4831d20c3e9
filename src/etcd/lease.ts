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

/** The TTL of a lease. */
export interface Ttl {
  /** The time left. */
  readonly ttlSeconds: number
  /** The time that the grant and each keep-alive give. */
  readonly grantedTtlSeconds: number
}

/** Number of leases read at a time: enough to hide the round trips, without crowding etcd. */
const LEASES_AT_ONCE = 64

/**
 * The TTL of a lease; null if the lease does not exist (any longer), for which etcd returns the TTL -1.
 *
 * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED
 */
export async function leaseTtl(client: EtcdClient, lease: LeaseId): Promise<Ttl | null> {
  const answer = await client.leaseTimeToLive(lease)
  const ttlSeconds = Number(answer.TTL)
  return ttlSeconds < 0 ? null : { ttlSeconds, grantedTtlSeconds: Number(answer.grantedTTL) }
}

/** The TTLs of several leases, without leases that have ended. @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED */
export async function leaseTtls(
  client: EtcdClient,
  leases: Iterable<LeaseId>,
): Promise<ReadonlyMap<LeaseId, Ttl>> {
  const ttls = new Map<LeaseId, Ttl>()
  const queue = [...new Set(leases)].values()
  const worker = async () => {
    for (const lease of queue) {
      const ttl = await leaseTtl(client, lease)
      if (ttl) ttls.set(lease, ttl)
    }
  }
  await Promise.all(Array.from({ length: LEASES_AT_ONCE }, worker))
  return ttls
}
