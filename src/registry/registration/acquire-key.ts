import { setTimeout as delay } from 'node:timers/promises'
import type { LeaseId, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { EtcdClient } from '../../etcd/client.js'
import { writeIfUnchanged } from '../../etcd/guarded-write.js'
import { oneKey } from '../../etcd/key-range.js'
import { createKey } from '../../etcd/key-txn.js'
import { type GrantedLease, leaseTtl } from '../../etcd/lease.js'
import { list } from '../../etcd/list.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { isUnknown } from '../etcd-refusals.js'

/** etcd deletes the keys of an expired lease up to this long after its TTL. */
const LAPSE_GRACE_SECONDS = 2

/** Period of reads of the TTL of another registrar's lease. If the TTL has not fallen with time, it was renewed. */
const POLL_PERIOD_MS = 250

/** Key and value of a registration. */
export interface StoredForm {
  readonly key: string
  readonly value: Uint8Array
}

export interface Claim extends StoredForm {
  readonly takeover: boolean
}

export interface ClaimReports {
  /** Called before the wait for a lease that may be dead, with its remaining seconds. */
  readonly onWait: (found: { lease: LeaseId; ttlSeconds: number }) => void
  /** Called when the key was taken from its holder; `unknown` if etcd's answer to the write was lost. */
  readonly onTaken: (certainty: 'taken' | 'unknown') => void
}

/**
 * Writes a key under our lease, unless another registrar holds it. A lease that is no longer renewed was left by a
 * killed registrar: the function waits for it to lapse. A key whose lease is renewed, or that has no lease, is a
 * conflict.
 *
 * @param signal ends the wait with an AbortError
 * @returns the revision at which the key was put under our lease
 * @throws DiscoError CONFLICT, OUTCOME_UNKNOWN
 */
export async function acquireKey(
  client: EtcdClient,
  lease: GrantedLease,
  claim: Claim,
  { onWait, onTaken }: ClaimReports,
  signal: AbortSignal,
): Promise<Revision> {
  for (;;) {
    const outcome = await createKey(client, claim.key, claim.value, lease.id)
    if (outcome.done) return outcome.revision
    const { found } = outcome
    if (!found) continue
    if (found.lease === lease.id) return found.modRevision
    if (claim.takeover) {
      const seen = { key: claim.key, revision: found.modRevision, at: outcome.revision }
      const write = { seen, value: claim.value, lease: lease.id }
      const taken = await writeIfUnchanged(client, [write]).catch((error: unknown) => {
        if (isUnknown(error)) onTaken('unknown')
        throw error
      })
      if (!taken.done) continue
      onTaken('taken')
      return taken.revision
    }
    await untilLapsed(client, found, onWait, signal)
  }
}

async function untilLapsed(
  client: EtcdClient,
  found: KeyValue,
  onWait: ClaimReports['onWait'],
  signal: AbortSignal,
): Promise<void> {
  if (found.lease === null) {
    throw new DiscoError('CONFLICT', `${found.key} exists without a lease, so it never expires`, {
      suggestions: ['Remove it with disco unregister, or take it with --takeover'],
    })
  }
  const first = await leaseTtl(client, found.lease)
  if (!first) return
  onWait({ lease: found.lease, ttlSeconds: first.ttlSeconds })
  const startMs = performance.now()
  const elapsedSeconds = () => (performance.now() - startMs) / 1000
  while (elapsedSeconds() < first.ttlSeconds + LAPSE_GRACE_SECONDS) {
    await delay(POLL_PERIOD_MS, undefined, { signal })
    // etcd rounds the TTL down to whole seconds: without a renewal, it is less than this.
    const leftSeconds = first.ttlSeconds + 1 - elapsedSeconds()
    const ttl = await leaseTtl(client, found.lease)
    if (!ttl || !(await isStillHeld(client, found))) return
    // An expired lease has TTL 0 until etcd revokes it: 0 is never a renewal.
    if (ttl.ttlSeconds >= Math.max(leftSeconds, 1))
      throw heldElsewhere(found.key, found.lease, ttl.grantedTtlSeconds)
  }
  throw heldElsewhere(found.key, found.lease, first.grantedTtlSeconds)
}

async function isStillHeld(client: EtcdClient, found: KeyValue): Promise<boolean> {
  const { kvs } = await list(client, oneKey(found.key))
  return kvs[0]?.lease === found.lease
}

function heldElsewhere(key: string, lease: LeaseId, ttlSeconds: number): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `${key} is held by another registrar: lease ${lease}, ttl ${ttlSeconds}s`,
    { suggestions: ['Stop that registrar, or take the key with --takeover'] },
  )
}
