import { setTimeout as delay } from 'node:timers/promises'
import type { LeaseId } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { arrived } from './arrived.js'
import { Backoff } from './backoff.js'
import type { EtcdClient } from './client.js'

/** A lease as etcd granted it; the TTL may be longer than asked. */
export interface GrantedLease {
  readonly id: LeaseId
  readonly ttlSeconds: number
}

export interface KeeperReports {
  /** Keep-alives are not answered. Told once an outage, not once a try. */
  onTrouble?(cause: DiscoError): void
  /** @param told whether the lease outlived the outage */
  onRecovered?(told: { readonly leaseHolds: boolean }): void
}

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
export async function keepAlive(
  client: EtcdClient,
  lease: GrantedLease,
  reports: KeeperReports,
  signal: AbortSignal,
): Promise<'lost' | 'stopped'> {
  const backoff = new Backoff()
  let failures = 0
  const isTrouble = () => failures > client.memberCount
  while (!signal.aborted) {
    try {
      for await (const ttlSeconds of renewals(client, lease, signal)) {
        const leaseHolds = ttlSeconds > 0
        if (isTrouble()) reports.onRecovered?.({ leaseHolds })
        if (!leaseHolds) return 'lost'
        backoff.reset()
        failures = 0
      }
    } catch (thrown) {
      if (signal.aborted) break
      failures++
      // Not a word of what the next try, or the next member, mends.
      if (failures === client.memberCount + 1) reports.onTrouble?.(client.translate(thrown))
      if (failures >= client.memberCount) await backoff.wait(signal)
    }
  }
  return 'stopped'
}

/**
 * One stream's renewals, each with the TTL that etcd answered: three in a TTL, each answered in a sixth of it.
 * After a failure, requests go to the next member.
 */
async function* renewals(
  client: EtcdClient,
  lease: GrantedLease,
  signal: AbortSignal,
): AsyncGenerator<number, void, void> {
  const periodMs = (lease.ttlSeconds * 1000) / 3
  const stream = await client.openKeepAlive()
  const answers = stream[Symbol.asyncIterator]()
  try {
    while (!signal.aborted) {
      stream.write({ ID: lease.id })
      const answer = await within(periodMs / 2, answers.next())
      if (answer.done) throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the keep-alive')
      yield Number(answer.value.TTL)
      await delay(periodMs, undefined, { signal }).catch(() => undefined)
    }
  } catch (thrown) {
    stream.blame()
    throw thrown
  } finally {
    stream.close()
  }
}

async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const silence = delay(limitMs, undefined, { signal: stop.signal }).then(async () => {
    await arrived()
    throw new DiscoError('ETCD_UNREACHABLE', `A keep-alive had no answer for ${Math.round(limitMs)} ms`)
  })
  silence.catch(() => undefined)
  answer.catch(() => undefined)
  try {
    return await Promise.race([answer, silence])
  } finally {
    stop.abort()
  }
}
